import type * as english from "../en/models";
import type { LocaleShape } from "../types";

/** 기본 모델, 등록된 버전, 내보내기와 인증서. */
export const models: LocaleShape<typeof english.models> = {
  title: "모델",
  description: "이 컴퓨터에 있는 기본 모델과, 그로부터 학습한 버전입니다.",
  local: "기본 모델",
  localEmptyTitle: "로컬 저장소가 비어 있습니다",
  localEmptyText: "함께 제공되는 기본 모델이 있어야 합니다. `tunesmith models`로 폴더를 불러오세요.",
  name: "이름",
  architecture: "구조",
  parameters: "매개변수",
  size: "크기",
  lastUsed: "마지막 사용",
  never: "없음",
  chat: "채팅",
  train: "학습",
};

export const registry: LocaleShape<typeof english.registry> = {
  title: "등록된 버전",
  emptyTitle: "등록된 버전이 없습니다",
  emptyText: "레시피에 등록 이름이 있는 실행이 끝나면 여기에 나타납니다.",
  versionTitle: "버전",
  base: "기본 모델",
  size: "크기",
  fromRun: "실행 {id}에서",
  card: "모델 카드",
  exports: "내보내기",
  file: "파일",
  checksum: "SHA-256",
  compare: "기본 모델과 비교",
  evaluations: "평가",
  tags: "태그",
};

export const checks: LocaleShape<typeof english.checks> = {
  token_agreement: "토큰 일치율",
  mean_kl: "평균 KL 발산",
  max_kl: "최대 KL 발산",
  rendered_prompt: "렌더링된 프롬프트 동일",
  tokenization: "토큰 동일",
  greedy_answers: "답 동일",
  stop_token: "원본과 같은 곳에서 멈춤",
  perplexity_difference: "퍼플렉서티 차이",
  prompts: "물어본 프롬프트 수",
  file_intact: "파일이 온전함",
};
