import { chat } from "./chat";
import { data, findings } from "./data";
import { errors } from "./errors";
import { home } from "./home";
import { checks, models, registry } from "./models";
import { metrics, runs } from "./runs";
import { common, nav, shell } from "./shell";
import { kinds, states } from "./states";
import { train } from "./train";

/** English: the source of the keys. `{name}` is filled in; `{count:row|rows}` chooses a word by number. */
export const en = {
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
  states,
  kinds,
  metrics,
  checks,
  findings,
  errors,
};
