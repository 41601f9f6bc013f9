import { chatErrors } from "./chat";
import { datasetErrors } from "./datasets";
import { exportErrors } from "./exports";
import { modelErrors } from "./models";
import { serverErrors } from "./server";
import { trainingErrors } from "./training";
import type { ErrorWords } from "./words";

const words: ErrorWords = {
  ...chatErrors,
  ...datasetErrors,
  ...exportErrors,
  ...modelErrors,
  ...serverErrors,
  ...trainingErrors,
};

const column = (which: 0 | 1) => Object.fromEntries(Object.entries(words).map(([code, texts]) => [code, texts[which]]));

/** 서버 오류의 제목과 힌트. 영어는 서버가 직접 말하므로 한국어만 여기에 있습니다. 모르는 코드는 서버의 글로 보여 줍니다. */
export const errorTitlesKo = column(0);
export const errorHintsKo = column(1);
