import type * as english from "../en/forecast";
import type { LocaleShape } from "../types";

export const forecastFindings: LocaleShape<typeof english.forecastFindings> = {
  "memory-too-small": "메모리에 들어가지 않습니다",
  "memory-tight": "메모리가 빠듯합니다",
  "disk-too-small": "디스크가 모자랍니다",
  "one-process": "프로세스 하나로 쟀습니다",
  "truncated-rows": "잘리는 행이 있습니다",
  "rows-without-target": "배울 답이 없는 행이 있습니다",
  "few-rows": "행이 적습니다",
  "too-long": "작업에 허용된 시간보다 오래 걸립니다",
  "few-updates": "업데이트가 적습니다",
  "rare-checkpoints": "체크포인트 사이가 멉니다",
  padding: "채움 토큰이 많습니다",
  "no-evaluation": "떼어 둔 행이 없습니다",
  "costly-evaluation": "평가에 시간이 많이 듭니다",
};
