import type * as english from "../en/shell";
import type { LocaleShape } from "../types";

/** 모든 페이지를 둘러싼 것. */
export const nav: LocaleShape<typeof english.nav> = {
  label: "주 메뉴",
  home: "홈",
  data: "데이터",
  train: "학습",
  runs: "실행",
  models: "모델",
  chat: "채팅",
  jobs: "작업",
  system: "시스템",
};

export const shell: LocaleShape<typeof english.shell> = {
  skip: "본문으로 건너뛰기",
  language: "언어",
  theme: "테마",
  light: "밝게",
  dark: "어둡게",
  system: "시스템 설정",
  serverWell: "서버 준비됨",
  serverAway: "서버가 응답하지 않습니다",
  serverAsking: "서버 확인 중",
  notFoundTitle: "없는 페이지입니다",
  notFoundText: "주소가 오래되었거나 잘못 입력되었을 수 있습니다.",
  toHome: "홈으로 가기",
  failureTitle: "이 페이지를 표시할 수 없습니다",
};

export const common: LocaleShape<typeof english.common> = {
  hint: "해결 방법:",
  requestId: "요청",
  tryAgain: "다시 시도",
  cancel: "취소",
  created: "만든 때",
  pages: "페이지",
  previous: "이전",
  next: "다음",
  range: "전체 {total}개 중 {first}–{last}",
  copy: "복사",
  copied: "복사됨",
  copyCode: "코드 복사",
  optional: "선택",
  stop: "멈추기",
  timeLeft: "{time} 남음",
};
