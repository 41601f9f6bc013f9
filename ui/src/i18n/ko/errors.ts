import type * as english from "../en/errors";
import type { LocaleShape } from "../types";

/** 서버가 말해 줄 수 없는 오류의 글. */
export const errors: LocaleShape<typeof english.errors> = {
  titles: {
    GPU_ERROR: "장치에 문제가 있거나 메모리가 모자랍니다",
    DATASET_ERROR: "데이터를 쓸 수 없습니다",
    CONFIGURATION_ERROR: "설정이 맞지 않습니다",
    CHECKPOINT_ERROR: "체크포인트를 쓸 수 없습니다",
    ENGINE_ERROR: "학습 엔진에 문제가 생겼습니다",
    NETWORK_ERROR: "네트워크에 문제가 생겼습니다",
    DISK_ERROR: "디스크에 문제가 있거나 가득 찼습니다",
    UNKNOWN_ERROR: "실행에 실패했습니다",
    unreachable: "서버가 응답하지 않습니다",
    unexpected: "이 페이지에서 문제가 생겼습니다",
  },
  hints: {
    unreachable: "Tunesmith가 실행 중인지(`tunesmith serve`), 같은 네트워크에 있는지 확인하고 다시 시도하세요.",
    unexpected: "페이지를 새로 고치세요. 다시 생기면 무엇을 했는지와 함께 알려 주세요.",
  },
};
