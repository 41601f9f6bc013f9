import type { ErrorDictionary } from "./types";

/** 오류: 모델, Hub, 등록된 버전. */
export const modelsErrors: ErrorDictionary = {
  "archive-invalid": {
    title: "압축 파일에 쓸 수 있는 모델이 없습니다",
    hint: "config.json, *.safetensors, tokenizer.json이 든 폴더를 .zip, .tar, .tar.gz, .tar.zst로 묶어 보내세요.",
  },
  "archive-too-large": {
    title: "압축 파일이 너무 큽니다",
    hint: "폴더를 이 컴퓨터에 복사해 경로로 불러오거나 TUNESMITH_MODELS__MAX_ARCHIVE_BYTES를 늘리세요.",
  },
  "archive-unsafe": {
    title: "풀기에 안전하지 않은 압축 파일입니다",
    hint: "모델 파일만 묶으세요. 링크, 절대 경로, '..'는 안 됩니다.",
  },
  "download-damaged": {
    title: "받은 파일이 원본과 다릅니다",
    hint: "Hub나 중간의 무언가가 파일을 바꿉니다. 나중에 다시 시도하세요.",
  },
  "hub-access-denied": {
    title: "Hub가 접근을 허락하지 않습니다",
    hint: "모델 페이지에서 접근을 신청하거나, 접근 권한이 있는 계정의 토큰을 쓰세요.",
  },
  "hub-model-not-found": {
    title: "Hub에서 그런 모델이 보이지 않습니다",
    hint: "ID(소유자/이름)를 확인하세요. 비공개 모델이면 읽을 수 있는 토큰을 주세요.",
  },
  "hub-revision-not-found": {
    title: "모델에 그런 리비전이 없습니다",
    hint: "브랜치, 태그 또는 전체 커밋을 적으세요. 비워 두면 최신입니다.",
  },
  "hub-token-needed": {
    title: "이 모델에는 토큰이 필요합니다",
    hint: "모델 페이지에서 약관에 동의하고, 읽기 토큰을 만들어 access_token으로 보내거나 HF_TOKEN을 설정하세요.",
  },
  "hub-unreachable": {
    title: "Hub에 연결할 수 없습니다",
    hint: "네트워크와 TUNESMITH_MODELS__HUB_ENDPOINT를 확인하세요. 로컬 저장소의 모델은 그대로 쓸 수 있습니다.",
  },
  "model-files-damaged": {
    title: "이 버전의 파일이 손상되었습니다",
    hint: "백업에서 저장소를 되살리거나, 다시 학습해 등록하세요.",
  },
  "model-in-use": { title: "모델을 사용하는 중입니다", hint: "모델을 내리거나, 이름이 나온 작업이 끝난 뒤 지우세요." },
  "model-invalid": {
    title: "쓸 수 있는 모델 폴더가 아닙니다",
    hint: "모델 폴더에는 config.json, *.safetensors, tokenizer.json이 있어야 합니다. 잘린 파일은 다시 복사하세요.",
  },
  "model-kept": {
    title: "이 모델은 여기서 지울 수 없습니다",
    hint: "로컬 저장소로 받거나 올리거나 변환한 모델만 지울 수 있습니다.",
  },
  "model-not-found": {
    title: "그런 모델이 없습니다",
    hint: "모델 목록에서 확인하세요. 폴더는 ./폴더 또는 전체 경로로 적습니다.",
  },
  "model-version-not-found": { title: "그런 모델 버전이 없습니다", hint: "등록된 버전 목록에서 확인하세요." },
  "no-current-model": { title: "불러온 모델이 없습니다" },
  "path-not-allowed": {
    title: "이 경로는 읽을 수 없습니다",
    hint: "모델을 허용된 폴더로 옮기거나, 그 폴더를 TUNESMITH_MODELS__ALLOWED_ROOTS에 더하세요.",
  },
  "pickle-refused": {
    title: "이 가중치는 변환할 수 없습니다",
    hint: "텐서가 아닌 것이 든 파일은 믿지 않습니다. state dict만 저장하거나 safetensors를 구하세요.",
  },
  "pickle-weights": {
    title: "피클 가중치는 받지 않습니다",
    hint: "그대로 읽으면 파일 안의 코드가 실행될 수 있습니다. 아무것도 실행하지 않는 변환기를 쓰세요: tunesmith models convert 폴더.",
  },
  registration: {
    title: "모델을 등록할 수 없습니다",
    hint: "작업이 성공할 때까지 기다리거나, 다른 버전 번호를 쓰세요.",
  },
  "registration-invalid": { title: "모델을 등록할 수 없습니다", hint: "성공한 학습 작업을 등록하세요." },
  "remote-code": {
    title: "자체 코드를 가진 모델은 받지 않습니다",
    hint: "transformers가 아는 구조의 모델을 고르세요.",
  },
  tokenizer: {
    title: "토크나이저를 불러올 수 없습니다",
    hint: "폴더에 tokenizer.json이 있어야 합니다. 빠른 형식으로 토크나이저를 저장하세요.",
  },
};
