import type { ErrorWords } from "./words";

/** 학습, 평가, 작업의 오류. */
export const trainingErrors: ErrorWords = {
  "adapter-unsupported": ["이 어댑터는 합칠 수 없습니다", "Tunesmith가 학습한 LoRA 어댑터를 쓰세요."],
  checkpoint: ["체크포인트를 쓸 수 없습니다", "다른 체크포인트를 고르거나 처음부터 다시 학습하세요."],
  "checkpoint-not-found": ["그런 체크포인트가 없습니다", "체크포인트 목록에서 번호를 확인하세요."],
  configuration: ["레시피가 올바르지 않습니다", "표시된 항목을 고치고 다시 시도하세요."],
  "data-mismatch": ["레시피가 쓰인 데이터와 다릅니다", "레시피에 적힌 해시의 데이터를 쓰거나, 해시를 지우세요."],
  "dataset-busy": ["현재 데이터셋을 바꾸는 중입니다", "안내된 작업이 끝나기를 기다리거나 취소한 뒤 다시 시도하세요."],
  "finetuning-job-not-found": ["그런 실행이 없습니다", "실행 목록에서 번호를 확인하세요."],
  "gpu-ids": ["그런 GPU가 없습니다", "tunesmith system이 보여 주는 GPU의 번호를 쓰거나 gpu_ids를 지우세요."],
  "job-failed": ["작업이 성공하지 못했습니다", "작업의 로그를 보세요."],
  "job-graph": ["작업들이 서로 맞지 않습니다", "표시된 항목을 고쳐 다시 하세요."],
  "job-kind": ["그런 종류의 작업이 없습니다", "표시된 항목을 고쳐 다시 하세요."],
  "job-not-found": ["그런 작업이 없습니다", "목록에서 번호를 확인하세요."],
  "job-resume": ["이 작업은 이어서 할 수 없습니다", "처음부터 다시 시작하세요."],
  "job-state": ["작업의 상태가 이를 허용하지 않습니다", "페이지를 새로 고쳐 지금 상태를 확인하세요."],
  "no-current-dataset": ["현재 데이터셋이 없습니다", "POST /dataset/upload 로 파일을 먼저 올리세요."],
  "no-current-model": [
    "불러온 모델이 없습니다",
    "POST /model/upload?model_path=…로 불러오세요. `tunesmith/tiny`는 언제나 있습니다.",
  ],
  "no-current-run": ["실행이 없습니다", "POST /train/start로 시작하세요."],
  "nothing-to-evaluate": ["평가할 것이 없습니다", "따로 둔 데이터나 질문을 지정하세요."],
  "recipe-name-taken": ["이미 있는 이름입니다", "다른 이름을 쓰거나 그 이름의 레시피를 바꾸세요."],
  "recipe-not-found": ["그런 레시피가 없습니다", "레시피 목록에서 이름과 번호를 확인하세요."],
  "run-active": ["실행이 아직 끝나지 않았습니다", "먼저 멈추거나 끝날 때까지 기다리세요."],
  "save-target-exists": [
    "그 경로에 이미 무언가 있습니다",
    "다른 경로를 고르거나, 폴더를 바꾸려면 overwrite: true를 보내세요.",
  ],
  "training-active": [
    "끝나지 않은 실행이 있습니다",
    "기다리거나 멈추거나, 뒤에서 기다리게 하려면 queue: true를 보내세요.",
  ],
  "unsupported-method": ["지원하지 않는 방법입니다", "문장에 나온 방법 가운데 하나를 쓰세요."],
  "unsupported-metric": ["지원하지 않는 지표입니다", "문장에 나온 지표 가운데 하나를 쓰세요."],
};
