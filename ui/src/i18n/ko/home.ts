import type * as english from "../en/home";
import type { LocaleShape } from "../types";

/** 홈 페이지. */
export const home: LocaleShape<typeof english.home> = {
  title: "진행 상황",
  description: "데이터 파일 하나에서 우리 말로 답하는 모델까지, 모두 이 컴퓨터에서 이루어집니다.",
  nextStep: "다음 단계",
  done: "완료",
  stepData: "데이터 올리기",
  stepDataText: "질문과 답이 담긴 파일을 올리면 모든 행을 검사합니다.",
  stepTrain: "학습하기",
  stepTrainText: "기본 모델을 고르세요. 처음에는 기본값으로 충분합니다.",
  stepChat: "채팅으로 비교하기",
  stepChatText: "기본 모델과 학습한 모델에 같은 질문을 해 보세요.",
  uploadData: "데이터 올리기",
  startTraining: "학습 시작하기",
  watchRun: "실행 지켜보기",
  compare: "채팅에서 비교하기",
  runs: "실행",
  allRuns: "실행 {count}개 모두 보기",
  data: "데이터",
  allData: "데이터셋 {count}개 모두 보기",
  dataEmpty: "데이터 페이지에 파일을 끌어다 놓으면 시작됩니다.",
  versions: "등록된 모델",
  allVersions: "버전 {count}개 모두 보기",
  machine: "이 컴퓨터",
  device: "계산 장치",
  memory: "메모리",
  diskFree: "남은 디스크",
  processors: "프로세서",
  version: "Tunesmith 버전",
  usedOf: "{total} 중 {used} 사용",
};
