import type { ErrorDictionary } from "./types";

/** 오류: 내보내기와 GGUF. */
export const exportErrors: ErrorDictionary = {
  "adapter-not-found": {
    title: "그런 어댑터가 없습니다",
    hint: "adapter_config.json과 adapter_model.safetensors가 있는 서버의 폴더를 쓰세요.",
  },
  "adapter-unsupported": { title: "이 어댑터는 합칠 수 없습니다", hint: "Tunesmith가 학습한 LoRA 어댑터를 쓰세요." },
  "artefact-not-found": { title: "그런 결과물이 없습니다", hint: "목록에서 이름이나 번호를 확인하세요." },
  "export-failed": {
    title: "내보내기를 쓰지 못했습니다",
    hint: "다른 방식이나 형식을 고르세요. 작업 기록에 더 자세히 나옵니다.",
  },
  "export-format": {
    title: "지원하지 않는 내보내기 형식입니다",
    hint: "gguf, merged, hf, adapter, onnx, ollama, mlx, zip 가운데 고르세요.",
  },
  "export-not-found": { title: "그런 내보내기가 없습니다", hint: "내보내기 목록에서 확인하세요." },
  "export-space": {
    title: "내보내기에 필요한 디스크 공간이 부족합니다",
    hint: "데이터 폴더의 공간을 비우거나 더 작은 방식을 고르세요.",
  },
  "gguf-damaged": { title: "GGUF 파일이 손상되었습니다", hint: "파일을 다시 복사하거나 다시 내보내세요." },
  "gguf-method": { title: "지원하지 않는 GGUF 방법입니다", hint: "F16이나 Q8_0을 쓰세요." },
  "go-template": {
    title: "Ollama 템플릿을 렌더링할 수 없습니다",
    hint: "TEMPLATE을 range, if, eq, and, or, not, len, slice로 쓰세요.",
  },
  "importance-invalid": {
    title: "중요도 행렬을 쓸 수 없습니다",
    hint: "대화나 글이 하나라도 있는 데이터세트나, llama-imatrix가 이 모델로 쓴 GGUF 파일을 주세요.",
  },
  modelfile: { title: "Modelfile을 읽을 수 없습니다", hint: "메시지에 나온 줄을 고치세요." },
  "no-adapter": { title: "모델에 어댑터가 없습니다", hint: "merged, hf, gguf 가운데 하나로 내보내세요." },
  "nothing-to-push": {
    title: "올릴 것이 없습니다",
    hint: "끝난 실행(run:ID), 버전(이름@버전), 내보내기 또는 모델 폴더를 고르세요.",
  },
  "quantizer-missing": {
    title: "이 GGUF 방법에 필요한 라이브러리가 설치되어 있지 않습니다",
    hint: "tunesmith[export]를 설치하세요. xllamacpp 휠이 함께 오며, 컴파일러는 필요 없습니다.",
  },
  "source-silent": {
    title: "원본에 물어볼 수 없습니다",
    hint: "결과물을 만든 모델을 고르세요. 프롬프트와 토큰 32개가 들어갈 자리가 있어야 합니다.",
  },
  "template-not-translatable": {
    title: "채팅 템플릿을 Ollama용으로 쓸 수 없습니다",
    hint: "gguf로 내보내고 템플릿을 스스로 실행하는 llama.cpp로 쓰세요.",
  },
  "unsupported-architecture": {
    title: "이 모델 구조는 GGUF로 내보낼 수 없습니다",
    hint: "지원하는 구조의 모델을 고르거나, 병합된 형식으로 내보내세요.",
  },
  "unsupported-artefact": {
    title: "판정할 수 없는 결과물입니다",
    hint: "GGUF 파일, zip, 또는 config.json, adapter_config.json, .onnx, Modelfile이 있는 폴더를 고르세요.",
  },
  "unsupported-tokenizer": {
    title: "GGUF로 쓸 수 없는 토크나이저입니다",
    hint: "병합된 형식으로 내보내거나 다른 모델을 고르세요.",
  },
  "weights-overflow": { title: "가중치가 이 숫자 형식의 범위를 넘습니다", hint: "범위가 더 넓은 형식을 고르세요." },
  "zip-damaged": { title: "zip을 풀 수 없습니다", hint: "다시 복사하거나 다시 내보내세요." },
};
