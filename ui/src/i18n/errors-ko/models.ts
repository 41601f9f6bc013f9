import type { ErrorWords } from "./words";

/** 모델, 레지스트리, Hub, 채팅 템플릿의 오류. */
export const modelErrors: ErrorWords = {
  "archive-invalid": [
    "압축 파일에 쓸 수 있는 모델이 없습니다",
    "config.json, *.safetensors, tokenizer.json이 든 폴더를 .zip, .tar, .tar.gz, .tar.zst로 묶어 보내세요.",
  ],
  "archive-too-large": [
    "압축 파일이 너무 큽니다",
    "폴더를 이 컴퓨터에 복사해 경로로 불러오거나 TUNESMITH_MODELS__MAX_ARCHIVE_BYTES를 늘리세요.",
  ],
  "archive-unsafe": [
    "풀기에 안전하지 않은 압축 파일입니다",
    "모델 파일만 묶으세요. 링크, 절대 경로, '..'는 안 됩니다.",
  ],
  "chat-template": [
    "채팅 템플릿이 이 대화를 표현하지 못합니다",
    "역할의 순서를 템플릿이 바라는 것과 견주어 보거나, 다른 템플릿의 모델을 고르세요.",
  ],
  "chat-template-limit": [
    "채팅 템플릿이 중단되었습니다",
    "템플릿이 끝없이 돕니다. 이 모델을 믿기 전에 템플릿을 살펴보세요.",
  ],
  "chat-template-missing": [
    "모델에 채팅 템플릿이 없습니다",
    "지시를 따르도록 학습된 모델을 고르거나, 모델 폴더에 chat_template.jinja를 넣으세요.",
  ],
  "download-damaged": ["받은 파일이 원본과 다릅니다", "Hub나 중간의 무언가가 파일을 바꿉니다. 나중에 다시 시도하세요."],
  "go-template": [
    "Ollama 템플릿을 렌더링할 수 없습니다",
    "TEMPLATE을 range, if, eq, and, or, not, len, slice로 쓰세요.",
  ],
  "hub-access-denied": [
    "Hub가 접근을 허락하지 않습니다",
    "모델 페이지에서 접근을 신청하거나, 접근 권한이 있는 계정의 토큰을 쓰세요.",
  ],
  "hub-model-not-found": [
    "Hub에서 그런 모델이 보이지 않습니다",
    "ID(소유자/이름)를 확인하세요. 비공개 모델이면 읽을 수 있는 토큰을 주세요.",
  ],
  "hub-revision-not-found": [
    "모델에 그런 리비전이 없습니다",
    "브랜치, 태그 또는 전체 커밋을 적으세요. 비워 두면 최신입니다.",
  ],
  "hub-token-needed": [
    "이 모델에는 토큰이 필요합니다",
    "모델 페이지에서 약관에 동의하고, 읽기 토큰을 만들어 access_token으로 보내거나 HF_TOKEN을 설정하세요.",
  ],
  "hub-unreachable": [
    "Hub에 연결할 수 없습니다",
    "네트워크와 TUNESMITH_MODELS__HUB_ENDPOINT를 확인하세요. 로컬 저장소의 모델은 그대로 쓸 수 있습니다.",
  ],
  "model-files-damaged": ["이 버전의 파일이 손상되었습니다", "백업에서 저장소를 되살리거나, 다시 학습해 등록하세요."],
  "model-in-use": ["모델을 사용하는 중입니다", "모델을 내리거나, 이름이 나온 작업이 끝난 뒤 지우세요."],
  "model-invalid": [
    "쓸 수 있는 모델 폴더가 아닙니다",
    "모델 폴더에는 config.json, *.safetensors, tokenizer.json이 있어야 합니다. 잘린 파일은 다시 복사하세요.",
  ],
  "model-kept": ["이 모델은 여기서 지울 수 없습니다", "로컬 저장소로 받거나 올리거나 변환한 모델만 지울 수 있습니다."],
  "model-not-found": ["그런 모델이 없습니다", "모델 목록에서 확인하세요. 폴더는 ./폴더 또는 전체 경로로 적습니다."],
  "model-version-not-found": ["그런 모델 버전이 없습니다", "등록된 버전 목록에서 확인하세요."],
  modelfile: ["Modelfile을 읽을 수 없습니다", "메시지에 나온 줄을 고치세요."],
  "path-not-allowed": [
    "이 경로는 읽을 수 없습니다",
    "모델을 허용된 폴더로 옮기거나, 그 폴더를 TUNESMITH_MODELS__ALLOWED_ROOTS에 더하세요.",
  ],
  "pickle-refused": [
    "이 가중치는 변환할 수 없습니다",
    "텐서가 아닌 것이 든 파일은 믿지 않습니다. state dict만 저장하거나 safetensors를 구하세요.",
  ],
  "pickle-weights": [
    "피클 가중치는 받지 않습니다",
    "그대로 읽으면 파일 안의 코드가 실행될 수 있습니다. 아무것도 실행하지 않는 변환기를 쓰세요: tunesmith models convert 폴더.",
  ],
  registration: ["모델을 등록할 수 없습니다", "작업이 성공할 때까지 기다리거나, 다른 버전 번호를 쓰세요."],
  "registration-invalid": ["모델을 등록할 수 없습니다", "성공한 학습 작업을 등록하세요."],
  "remote-code": ["자체 코드를 가진 모델은 받지 않습니다", "transformers가 아는 구조의 모델을 고르세요."],
  "row-shape": ["행에 배울 텍스트가 없습니다", "messages 또는 prompt와 completion을 넣으세요."],
  "template-not-translatable": [
    "채팅 템플릿을 Ollama용으로 쓸 수 없습니다",
    "gguf로 내보내고 템플릿을 스스로 실행하는 llama.cpp로 쓰세요.",
  ],
  tokenizer: [
    "토크나이저를 불러올 수 없습니다",
    "폴더에 tokenizer.json이 있어야 합니다. 빠른 형식으로 토크나이저를 저장하세요.",
  ],
};
