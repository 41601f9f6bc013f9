import type { ErrorDictionary } from "./types";

/** 오류: 대화와 답하는 모델. */
export const answersErrors: ErrorDictionary = {
  "adapter-refused": { title: "어댑터가 이 모델에 맞지 않습니다", hint: "어댑터를 학습한 기본 모델을 쓰세요." },
  busy: { title: "모델이 바쁩니다", hint: "잠시 뒤에 다시 시도하세요." },
  "chat-not-initialized": { title: "대화할 모델을 고르지 않았습니다", hint: "모델을 고른 뒤 다시 보내세요." },
  "chat-template": {
    title: "채팅 템플릿이 이 대화를 표현하지 못합니다",
    hint: "역할의 순서를 템플릿이 바라는 것과 견주어 보거나, 다른 템플릿의 모델을 고르세요.",
  },
  "chat-template-limit": {
    title: "채팅 템플릿이 중단되었습니다",
    hint: "템플릿이 끝없이 돕니다. 이 모델을 믿기 전에 템플릿을 살펴보세요.",
  },
  "chat-template-missing": {
    title: "모델에 채팅 템플릿이 없습니다",
    hint: "지시를 따르도록 학습된 모델을 고르거나, 모델 폴더에 chat_template.jinja를 넣으세요.",
  },
  "context-overflow": { title: "질문이 이 모델에게 너무 깁니다", hint: "질문을 줄이거나 새 대화를 시작하세요." },
  "conversation-busy": { title: "이 대화에 답하는 중입니다", hint: "답이 끝날 때까지 기다리거나 멈춘 뒤 다시 하세요." },
  "conversation-not-found": { title: "그런 대화가 없습니다", hint: "대화 목록에서 고르세요." },
  "embedding-only": {
    title: "이 모델은 답하지 않습니다",
    hint: "POST /v1/embeddings로 부르거나, 글을 쓰는 모델을 고르세요.",
  },
  "embeddings-unsupported": {
    title: "이 모델은 여기서 임베딩을 내지 않습니다",
    hint: "모델 폴더나 GGUF 파일을 고르세요.",
  },
  "max-tokens": { title: "한 번에 만들 토큰이 너무 많습니다" },
  "message-too-long": {
    title: "메시지가 이 모델에게 너무 깁니다",
    hint: "메시지나 시스템 프롬프트를 줄이거나 컨텍스트가 더 긴 모델을 고르세요.",
  },
  "no-good-turns": { title: "보관할 좋은 답이 없습니다", hint: "먼저 좋은 답을 평가하거나 모든 답을 고르세요." },
  "not-servable": { title: "불러올 수 없는 모델입니다", hint: "모델 폴더나 .gguf 파일을 고르세요." },
  "prompt-refused": {
    title: "이 모델은 이 질문을 받을 수 없습니다",
    hint: "역할과 순서를 확인하고, 대화에는 대화 템플릿이 있는 모델을 쓰세요.",
  },
  "request-too-large": { title: "요청이 너무 큽니다" },
  "run-not-servable": { title: "이 실행은 아직 답할 수 없습니다" },
  "runtime-crashed": {
    title: "모델 프로세스가 종료되었습니다",
    hint: "다시 하세요. 다음 요청이 모델을 새로 불러옵니다. 대개 메모리가 모자랄 때 생깁니다.",
  },
  "runtime-failed": {
    title: "모델이 답하는 중에 실패했습니다",
    hint: "오류 문장과 함께 알려 주세요. 모델은 그대로 있습니다.",
  },
  "runtime-memory": { title: "모델이 쓸 메모리가 모자랍니다", hint: "다른 모델을 내리거나 더 작은 모델을 쓰세요." },
  "runtime-start": {
    title: "모델을 불러올 수 없습니다",
    hint: "문장 끝에 까닭이 있습니다. 메모리를 비우거나 다른 모델을 고르세요.",
  },
  "runtime-unloaded": { title: "그사이 모델이 내려갔습니다", hint: "다시 불러와 요청을 되풀이하세요." },
  "runtime-unreachable": {
    title: "모델이 응답하지 않습니다",
    hint: "잠시 뒤 다시 하거나, 모델을 내렸다가 다시 불러오세요.",
  },
  "turn-not-found": { title: "그런 차례가 없습니다", hint: "대화를 새로 고치고 다시 하세요." },
  "turn-role": { title: "이 차례에는 할 수 없습니다", hint: "질문은 고치고, 답은 다시 묻거나 평가합니다." },
  "unsupported-field": { title: "지원하지 않는 항목입니다" },
};
