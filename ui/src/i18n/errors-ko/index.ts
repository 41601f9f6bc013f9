import { answersErrors } from "./answers";
import { dataErrors } from "./data";
import { exportErrors } from "./export";
import { generalErrors } from "./general";
import { modelsErrors } from "./models";
import { trainingErrors } from "./training";
import type { ErrorDictionary } from "./types";

/** 서버 오류. 영어는 서버가 직접 말하므로 한국어만 여기에 있습니다. 모르는 코드는 서버의 글로 보여 줍니다. */
export const errorsKo: ErrorDictionary = {
  ...answersErrors,
  ...dataErrors,
  ...exportErrors,
  ...generalErrors,
  ...modelsErrors,
  ...trainingErrors,
};
