import { useQuery } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { type ReactNode, useState } from "react";
import { QueryView } from "@/components/query-view";
import { Field, Input } from "@/components/ui/field";
import { useI18n } from "@/i18n";
import { DeleteModel, DownloadModel } from "./model-actions";
import { type BaseModel, type ModelDetails as Details, modelQueries } from "./queries";

/** It comes with the program, so it stays. */
const BUNDLED = "tunesmith/tiny";

/** Everything about one model, asked for when somebody looks. */
export function ModelDetails({ id, model }: { id: string; model: BaseModel }) {
  const { t } = useI18n();
  const [token, setToken] = useState("");
  const details = useQuery(modelQueries.details(model.model_id, model.source, ""));
  return (
    <div id={id} className="mt-4 border-line border-t pt-4">
      <QueryView query={details}>
        {(found) => (
          <>
            {found.problem && (
              <p className="mb-4 flex gap-2 rounded-lg bg-amber-soft px-3 py-2 text-[0.8125rem] text-amber">
                <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
                {found.problem}
              </p>
            )}
            {found.description && <p className="mb-4 whitespace-pre-line text-[0.875rem]">{found.description}</p>}
            <Facts model={found} />
            <Files model={found} />
            {model.source === "hub" && (found.gated || found.private) && !found.is_local && (
              <Field label={t("models.token")} description={t("models.tokenText")} className="mt-4 max-w-md">
                {(control) => (
                  <Input
                    {...control}
                    type="password"
                    autoComplete="off"
                    value={token}
                    onChange={(event) => setToken(event.currentTarget.value)}
                  />
                )}
              </Field>
            )}
            <div className="mt-4 flex flex-wrap items-center gap-3">
              {model.source === "hub" && !found.problem && <DownloadModel model={found} token={token} />}
              {model.source === "local" && model.model_id !== BUNDLED && <DeleteModel model={found} />}
            </div>
          </>
        )}
      </QueryView>
    </div>
  );
}

function Facts({ model }: { model: Details }) {
  const { t, format } = useI18n();
  const facts: [string, ReactNode][] = [
    [t("models.architecture"), model.architecture],
    [t("models.parameters"), model.num_parameters && format.number(model.num_parameters)],
    [t("models.dtype"), model.dtype],
    [t("models.context"), model.context_length && format.number(model.context_length)],
    [t("models.vocabulary"), model.vocab_size && format.number(model.vocab_size)],
    [t("models.template"), model.chat_template === null ? null : t(model.chat_template ? "models.yes" : "models.no")],
    [t("models.license"), model.license],
    [t("models.likes"), model.likes != null && format.number(model.likes)],
    [t("models.revision"), model.revision && <code className="font-mono">{model.revision.slice(0, 12)}</code>],
    [t("models.folder"), model.path && <code className="break-all font-mono">{model.path}</code>],
  ];
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1 text-[0.8125rem] sm:grid-cols-[auto_1fr_auto_1fr]">
      {facts
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-ink-faint">{name}</dt>
            <dd className="numeric min-w-0 break-words">{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function Files({ model }: { model: Details }) {
  const { t, format } = useI18n();
  if (model.files.length === 0) return null;
  return (
    <details className="mt-4">
      <summary className="cursor-pointer text-[0.8125rem] text-ink-soft">
        {t(model.source === "hub" ? "models.filesOf" : "models.filesHere", { count: model.files.length })}
      </summary>
      <ul className="mt-2 space-y-0.5 text-xs">
        {model.files.map((file) => (
          <li key={file.path} className="flex justify-between gap-4">
            <span className={file.fetched ? "break-all" : "break-all text-ink-faint line-through"}>{file.path}</span>
            <span className="numeric shrink-0 text-ink-soft">
              {file.size_bytes != null && format.bytes(file.size_bytes)}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}
