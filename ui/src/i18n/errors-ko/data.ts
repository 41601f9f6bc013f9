import type { ErrorDictionary } from "./types";

/** 오류: 데이터셋과 업로드. */
export const dataErrors: ErrorDictionary = {
  "column-mapping": { title: "열의 연결이 맞지 않습니다", hint: "파일에 있는 열을 형식의 필드에 연결하세요." },
  "column-unknown": {
    title: "데이터셋에 그런 열이 없습니다",
    hint: "안내된 열 가운데 하나를 쓰세요. 객체 안의 필드는 JSON 포인터로 적습니다.",
  },
  "dataset-busy": {
    title: "현재 데이터셋을 바꾸는 중입니다",
    hint: "안내된 작업이 끝나기를 기다리거나 취소한 뒤 다시 시도하세요.",
  },
  "dataset-changed": {
    title: "보고 있던 버전의 내용이 아닙니다",
    hint: "데이터셋을 다시 불러와, 지금의 내용에 고칠 것을 다시 적용하세요.",
  },
  "dataset-creation": { title: "데이터셋을 만들 수 없습니다", hint: "파일 하나와 이름을 함께 보내세요." },
  "dataset-exists": { title: "이 버전의 데이터셋이 이미 있습니다", hint: "다른 이름이나 버전을 쓰세요." },
  "dataset-format": {
    title: "데이터셋의 형식이 맞지 않습니다",
    hint: "문장에 나온 형식의 데이터를 쓰거나, 열을 그 형식에 연결하세요.",
  },
  "dataset-in-use": {
    title: "작업이 이 데이터셋을 사용하고 있습니다",
    hint: "작업이 끝날 때까지 기다리거나 작업을 취소하세요.",
  },
  "dataset-not-found": { title: "그런 데이터셋이 없습니다", hint: "데이터 목록에서 확인하세요." },
  "dataset-not-ready": {
    title: "데이터셋이 아직 준비되지 않았습니다",
    hint: "검사가 끝날 때까지 기다리거나, 검사 결과에 나온 문제를 고치세요.",
  },
  "dataset-purged": {
    title: "이 버전의 내용은 완전히 지워졌습니다",
    hint: "다른 버전을 쓰세요. 완전히 지운 것은 되돌릴 수 없습니다.",
  },
  "dataset-red": {
    title: "학습할 수 없는 행이 있는 데이터셋입니다",
    hint: "검사 결과에서 차단된 행을 고치거나 지운 뒤 다시 올리세요.",
  },
  "empty-dataset": { title: "파일에 행이 없습니다", hint: "올바른 파일인지, 저장이 끝났는지 확인하세요." },
  "evaluation-set-missing": {
    title: "비교할 평가 데이터가 없습니다",
    hint: 'against에 데이터셋을 적거나, 데이터셋을 나누거나, dataset_metadata에 {"kind": "benchmark"}를 적으세요.',
  },
  "file-validation": {
    title: "파일을 학습 데이터로 읽을 수 없습니다",
    hint: "표시된 줄을 확인하고, 데이터 파일이 맞는지 열어 보세요.",
  },
  "missing-columns": {
    title: "학습에 필요한 열이 없습니다",
    hint: "열을 형식의 필드에 연결하거나 열 이름을 바꾸세요.",
  },
  "no-current-dataset": { title: "현재 데이터셋이 없습니다", hint: "POST /dataset/upload 로 파일을 먼저 올리세요." },
  "no-undo": { title: "되돌릴 변경이 없습니다", hint: "버전 목록을 보고, 필요 없는 버전을 삭제하세요." },
  "packed-file": { title: "압축 파일을 풀 수 없습니다", hint: "파일을 다시 압축하거나 압축하지 않고 올리세요." },
  "pii-extra-missing": {
    title: "이름을 찾는 패키지가 설치되지 않았습니다",
    hint: "pip install 'tunesmith[pii]'와 spaCy 모델을 설치하거나, 이름과 주소를 빼세요.",
  },
  "pii-model-missing": {
    title: "이름을 찾는 언어 모델이 없습니다",
    hint: "설치된 spaCy 모델(ko_core_news_lg, en_core_web_sm)이나 모델 폴더를 적으세요.",
  },
  preprocessing: { title: "데이터를 요청대로 준비할 수 없습니다", hint: "표시된 곳을 고쳐 다시 하세요." },
  "row-not-found": {
    title: "데이터셋에 그런 행이 없습니다",
    hint: "행을 다시 확인하세요. 행 번호는 고치기 전의 번호입니다.",
  },
  "row-shape": { title: "행에 배울 텍스트가 없습니다", hint: "messages 또는 prompt와 completion을 넣으세요." },
  "target-exists": {
    title: "이 경로에 이미 무언가가 있습니다",
    hint: "다른 경로를 고르거나 `overwrite: true`를 보내 덮어쓰세요.",
  },
  "unsupported-encoding": { title: "지원하지 않는 문자 인코딩입니다", hint: "파일을 UTF-8로 저장해 다시 올리세요." },
  "unsupported-format": {
    title: "지원하지 않는 형식입니다",
    hint: "JSONL, JSON, CSV, TSV, Parquet 파일로 저장해 다시 올리세요.",
  },
  "upload-busy": {
    title: "이 업로드의 다른 조각을 쓰는 중입니다",
    hint: "조각을 하나씩 보내세요. 연결이 끊겼다면 몇 초 뒤에 다시 하세요.",
  },
  "upload-checksum": { title: "파일이 보낸 그대로 도착하지 않았습니다", hint: "처음부터 다시 보내세요." },
  "upload-incomplete": { title: "업로드가 아직 끝나지 않았습니다", hint: "받은 곳부터 나머지를 보내세요." },
  "upload-not-found": { title: "그런 업로드가 없습니다", hint: "새 업로드를 시작하세요." },
  "upload-offset": {
    title: "조각이 앞 조각이 끝난 곳에서 시작하지 않습니다",
    hint: "서버가 받은 곳부터 이어서 보내세요.",
  },
  "upload-size": { title: "약속한 크기보다 큽니다", hint: "올바른 크기로 새 업로드를 시작하세요." },
  "upload-state": { title: "업로드가 다른 상태입니다", hint: "업로드의 상태를 확인하세요." },
};
