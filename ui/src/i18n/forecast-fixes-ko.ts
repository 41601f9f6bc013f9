/** 예측에서 찾은 문제를 고치는 방법. */
export const forecastFixesKo: Record<string, string> = {
  "memory-too-small":
    "배치 크기를 반으로 줄이고 기울기 누적을 두 배로 하면 결과는 같습니다. 배치가 1이면 기울기 체크포인트를 켜거나 최대 길이를 줄이세요.",
  "memory-tight":
    "배치 크기를 반으로 줄이고 기울기 누적을 두 배로 하면 결과는 같습니다. 배치가 1이면 기울기 체크포인트를 켜거나 최대 길이를 줄이세요.",
  "disk-too-small": "데이터 폴더에 공간을 만들거나, 남겨 둘 체크포인트 수를 줄이세요.",
  "one-process": "할 일은 없습니다. 프로세스마다의 시간과 메모리는 실행 중에 보입니다.",
  "truncated-rows": "최대 길이를 늘리거나 그 행을 줄이세요. 잘린 답의 끝은 배우지 않습니다.",
  "rows-without-target": "글이 있는 assistant의 답을 넣거나, 질문이 길다면 최대 길이를 늘리세요.",
  "few-rows": "행을 더 넣으세요. 같은 질문을 다르게 물은 행이 가장 도움이 됩니다.",
  "too-long": "단계를 줄이거나, 더 작은 모델을 쓰거나, TUNESMITH_JOBS__MAX_RUNTIME_HOURS를 늘리세요.",
  "few-updates": "에포크를 늘리거나, 배치 크기 × 기울기 누적을 줄이세요.",
  "rare-checkpoints": "저장 간격을 줄이세요.",
  padding: "패킹을 켜세요. 결과는 같고 더 빨리 끝납니다.",
  "no-evaluation": "검증 데이터를 고르거나, 나누기에서 십분의 일을 떼어 두세요.",
  "costly-evaluation": "평가 간격과 저장 간격을 늘리세요.",
};
