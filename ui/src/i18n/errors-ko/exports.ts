import type { ErrorWords } from "./words";

/** 내보내기와 GGUF의 오류. */
export const exportErrors: ErrorWords = {
  "adapter-not-found": [
    "그런 어댑터가 없습니다",
    "adapter_config.json과 adapter_model.safetensors가 있는 서버의 폴더를 쓰세요.",
  ],
  "artefact-not-found": ["그런 결과물이 없습니다", "목록에서 이름이나 번호를 확인하세요."],
  "export-failed": ["내보내기를 쓰지 못했습니다", "다른 방식이나 형식을 고르세요. 작업 기록에 더 자세히 나옵니다."],
  "export-format": [
    "지원하지 않는 내보내기 형식입니다",
    "gguf, merged, hf, adapter, onnx, ollama, mlx, zip 가운데 고르세요.",
  ],
  "export-not-found": ["그런 내보내기가 없습니다", "내보내기 목록에서 확인하세요."],
  "export-space": [
    "내보내기에 필요한 디스크 공간이 부족합니다",
    "데이터 폴더의 공간을 비우거나 더 작은 방식을 고르세요.",
  ],
  "gguf-damaged": ["GGUF 파일이 손상되었습니다", "파일을 다시 복사하거나 다시 내보내세요."],
  "gguf-method": ["지원하지 않는 GGUF 방법입니다", "F16이나 Q8_0을 쓰세요."],
  "importance-invalid": [
    "중요도 행렬을 쓸 수 없습니다",
    "대화나 글이 하나라도 있는 데이터셋나, llama-imatrix가 이 모델로 쓴 GGUF 파일을 주세요.",
  ],
  "no-adapter": ["모델에 어댑터가 없습니다", "merged, hf, gguf 가운데 하나로 내보내세요."],
  "nothing-to-push": ["올릴 것이 없습니다", "끝난 실행(run:ID), 버전(이름@버전), 내보내기 또는 모델 폴더를 고르세요."],
  "quantizer-missing": [
    "이 GGUF 방법에 필요한 라이브러리가 설치되어 있지 않습니다",
    "tunesmith[export]를 설치하세요. xllamacpp 휠이 함께 오며, 컴파일러는 필요 없습니다.",
  ],
  range: ["파일의 그 위치에는 아무것도 없습니다", "처음부터 내려받으세요. 다 받은 파일이면 더 받을 것이 없습니다."],
  "source-silent": [
    "원본에 물어볼 수 없습니다",
    "결과물을 만든 모델을 고르세요. 프롬프트와 토큰 32개가 들어갈 자리가 있어야 합니다.",
  ],
  "unsupported-architecture": [
    "이 모델 구조는 GGUF로 내보낼 수 없습니다",
    "지원하는 구조의 모델을 고르거나, 병합된 형식으로 내보내세요.",
  ],
  "unsupported-artefact": [
    "판정할 수 없는 결과물입니다",
    "GGUF 파일, zip, 또는 config.json, adapter_config.json, .onnx, Modelfile이 있는 폴더를 고르세요.",
  ],
  "unsupported-tokenizer": ["GGUF로 쓸 수 없는 토크나이저입니다", "병합된 형식으로 내보내거나 다른 모델을 고르세요."],
  "weights-overflow": ["가중치가 이 숫자 형식의 범위를 넘습니다", "범위가 더 넓은 형식을 고르세요."],
  "zip-damaged": ["zip을 풀 수 없습니다", "다시 복사하거나 다시 내보내세요."],
};
