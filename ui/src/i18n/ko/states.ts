import type * as english from "../en/states";
import type { LocaleShape } from "../types";

/** 서버가 쓰는 상태와 작업 종류의 이름. */
export const states: LocaleShape<typeof english.states> = {
  uploaded: "올림",
  validating: "검사 중",
  ready: "준비됨",
  invalid: "오류 있음",
  archived: "보관됨",
  purged: "삭제됨",
  pending: "대기 중",
  running: "실행 중",
  completed: "완료",
  failed: "실패",
  stopped: "멈춤",
  stopping: "멈추는 중",
  waiting: "대기 중",
  queued: "대기열",
  succeeded: "완료",
  cancelled: "취소됨",
  staging: "스테이징",
  production: "운영",
  "role-system": "시스템",
  "role-user": "질문",
  "role-assistant": "답",
  "role-tool": "도구",
  "role-chosen": "고른 답",
  "role-rejected": "버린 답",
  "role-text": "글",
};

export const kinds: LocaleShape<typeof english.kinds> = {
  train: "학습",
  evaluate: "평가",
  register: "등록",
  export: "내보내기",
  validate: "검사",
  split: "나누기",
};
