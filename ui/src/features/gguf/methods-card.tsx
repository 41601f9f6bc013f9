import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { QueryView } from "@/components/query-view";
import { Badge } from "@/components/ui/badge";
import { Card, CardHeader } from "@/components/ui/card";
import { Field, Input } from "@/components/ui/field";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useDebounced } from "@/hooks/use-debounced";
import { useI18n } from "@/i18n";
import { ggufQueries, MODEL_GB } from "./queries";

const GIGABYTE = 1e9;
const MOST_GB = 1e6;

/** The ten methods with what a file takes, and which one to take for a model of that size on this machine. */
export function MethodsCard() {
  const { t, known, format } = useI18n();
  const [typed, setTyped] = useState(String(MODEL_GB));
  const [gigabytes, setGigabytes] = useState(MODEL_GB);
  const size = useDebounced(gigabytes, 300);
  const methods = useQuery(ggufQueries.methods(size));
  const advice = useQuery(ggufQueries.recommended(size));
  return (
    <Card className="overflow-hidden">
      <CardHeader
        title={t("gguf.methods")}
        description={t("gguf.methodsText", { size: `${format.number(size)} GB` })}
        action={
          <Field label={t("gguf.modelSize")} className="w-56">
            {(control) => (
              <Input
                {...control}
                type="number"
                min={0}
                max={MOST_GB}
                step="any"
                value={typed}
                onChange={(event) => {
                  setTyped(event.currentTarget.value);
                  const next = event.currentTarget.valueAsNumber;
                  if (next > 0 && next <= MOST_GB) setGigabytes(next);
                }}
              />
            )}
          </Field>
        }
      />
      <Advice size={size} />
      <QueryView query={methods}>
        {(list) => (
          <Table label={t("gguf.methods")}>
            <thead>
              <tr>
                <Th>{t("gguf.method")}</Th>
                <Th>{t("gguf.writes")}</Th>
                <Th className="text-end">{t("gguf.bits")}</Th>
                <Th>{t("gguf.quality")}</Th>
                <Th className="text-end">{t("gguf.file")}</Th>
                <Th>{t("gguf.about")}</Th>
              </tr>
            </thead>
            <tbody>
              {list.methods.map((one) => (
                <Tr key={one.name}>
                  <Td className="whitespace-nowrap font-medium">
                    {one.name}
                    {advice.data?.method === one.name && (
                      <Badge tone="green" className="ml-2">
                        {t("gguf.recommended")}
                      </Badge>
                    )}
                  </Td>
                  <Td className="whitespace-nowrap text-ink-soft">{one.variants.join(", ")}</Td>
                  <Td className="numeric text-end">{format.number(one.bits_per_weight)}</Td>
                  <Td className="numeric whitespace-nowrap">{t("gguf.qualityOf", { quality: one.quality })}</Td>
                  <Td className="numeric whitespace-nowrap text-end">
                    {format.bytes(one.estimated_size_gb * GIGABYTE)}
                  </Td>
                  <Td className="min-w-64 text-ink-soft">{known("ggufMethods", one.name, one.description)}</Td>
                </Tr>
              ))}
            </tbody>
          </Table>
        )}
      </QueryView>
    </Card>
  );
}

function Advice({ size }: { size: number }) {
  const { t, format } = useI18n();
  const { data } = useQuery(ggufQueries.recommended(size));
  if (!data) return null;
  const words = { method: data.method, file: format.bytes(data.estimated_size_gb * GIGABYTE) };
  const free = data.available_memory_gb;
  return (
    <div className="px-5 pb-4 text-[0.8125rem]">
      <p className={data.fits_in_memory === false ? "text-amber" : "text-ink"}>
        {free == null
          ? t("gguf.plain", words)
          : t(data.fits_in_memory ? "gguf.fits" : "gguf.tight", { ...words, free: format.bytes(free * GIGABYTE) })}
      </p>
      {data.alternatives.length > 0 && (
        <p className="text-ink-soft">
          {t("gguf.others", { methods: data.alternatives.map((other) => other.method).join(", ") })}
        </p>
      )}
    </div>
  );
}
