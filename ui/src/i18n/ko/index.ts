import type { en } from "../en";
import type { LocaleShape } from "../types";
import { chat } from "./chat";
import { data, findings } from "./data";
import { derivation, doctor, steps } from "./data-doctor";
import { columnTypes, explore, languages, measures, tokens, warningHints, warnings } from "./data-explore";
import { table, xray } from "./data-table";
import { formats, mapping, upload } from "./data-upload";
import { quality, split, versions } from "./data-versions";
import { errors } from "./errors";
import { exportFormats, exports } from "./exports";
import { forecastFindings } from "./forecast";
import { gguf, ggufChecks, ggufMethods } from "./gguf";
import { home } from "./home";
import { compare, forecast, jobs, methods, palette, system } from "./jobs";
import { checks, models, registry } from "./models";
import { metrics, runs } from "./runs";
import { common, nav, shell } from "./shell";
import { kinds, states } from "./states";
import { train } from "./train";

/** 한국어. 키가 빠지거나 틀리면 `tsc`가 실패합니다. */
export const ko: LocaleShape<typeof en> = {
  nav,
  shell,
  common,
  home,
  data,
  train,
  runs,
  chat,
  models,
  registry,
  exports,
  exportFormats,
  gguf,
  ggufChecks,
  ggufMethods,
  states,
  kinds,
  metrics,
  checks,
  findings,
  forecastFindings,
  formats,
  mapping,
  upload,
  derivation,
  doctor,
  steps,
  table,
  xray,
  columnTypes,
  explore,
  languages,
  measures,
  tokens,
  warningHints,
  warnings,
  quality,
  split,
  versions,
  jobs,
  system,
  palette,
  compare,
  methods,
  forecast,
  errors,
};
