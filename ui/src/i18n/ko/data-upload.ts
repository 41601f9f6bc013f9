import type * as english from "../en/data-upload";
import type { LocaleShape } from "../types";

/** 서버로 보내는 파일과 그 열의 뜻. */
export const upload: LocaleShape<typeof english.upload> = {
  dropTitle: "여기에 데이터 파일을 놓으세요",
  dropText:
    "CSV, TSV, JSON, JSONL, Parquet 파일과 그 gzip, zstd, zip 압축을 읽습니다. 크기 제한이 없고 끊겨도 이어서 올립니다. 파일은 이 컴퓨터를 벗어나지 않습니다.",
  pick: "파일 고르기",
  send: "올리기",
  sendMany: "파일 {count}개 올리기",
  part: "{size} 중 {sent} ({share})",
  hold: "잠시 멈추기",
  goOn: "이어서 올리기",
  open: "열기",
  map: "열 맞추기",
  takeAway: "목록에서 빼기",
  chooseAgain: "이 파일은 올리다가 끊겼습니다. 같은 파일을 다시 고르거나 놓으면 멈춘 곳부터 이어집니다.",
  asVersion: "{name}의 버전 {version}(으)로 추가",
  stages: {
    waiting: "차례를 기다리는 중",
    sending: "올리는 중",
    paused: "잠시 멈춤",
    reconnecting: "연결이 끊겨 다시 시도하는 중",
    "file-needed": "중단됨",
    making: "파일을 읽는 중",
    mapping: "열을 맞춰야 합니다",
    done: "완료",
  },
};

export const mapping: LocaleShape<typeof english.mapping> = {
  arrivalTitle: "이 열들은 무엇인가요?",
  arrivalText: "파일이 도착했습니다. 어느 열에 무엇이 들어 있는지 정하고, 오른쪽의 행을 확인한 뒤 데이터셋을 만드세요.",
  columnsTitle: "열",
  columnsText: "이름과 값을 보고 제안한 것입니다. 틀린 것은 바꾸세요. * 표시는 꼭 필요한 필드입니다.",
  format: "행의 종류",
  fieldFor: "{column} 열의 필드",
  unused: "쓰지 않음",
  missing: "아직 없는 필드: {fields}",
  complete: "필요한 필드에 모두 열이 있습니다.",
  sampleTitle: "행이 이렇게 읽힙니다",
  sampleText: "이 설정으로 읽은 처음 몇 행입니다.",
  noSample: "보여 줄 행이 없습니다.",
  unreadable: "아직 이 종류의 행으로 읽을 수 없습니다",
  make: "데이터셋 만들기",
  apply: "이렇게 읽기",
  applyText: "파일은 그대로 두고, 행을 새로 읽어 다시 검사합니다.",
  useProposal: "제안대로 하기",
  formatTexts: {
    messages: "role과 content가 있는 말의 목록입니다.",
    alpaca: "지시, 필요하면 입력, 그리고 출력입니다.",
    prompt_completion: "프롬프트와 그 뒤에 올 글입니다.",
    sharegpt: "from과 value가 있는 말의 목록입니다.",
    preference: "더 나은 답과 버린 답입니다. 선호 학습에 씁니다.",
    kto: "프롬프트와 답, 그리고 좋은 답인지의 표시입니다.",
    text: "이어서 배울 글입니다.",
    qa: "질문과 답입니다.",
  },
};

export const formats: LocaleShape<typeof english.formats> = {
  messages: "대화 (messages)",
  alpaca: "지시문 (Alpaca)",
  prompt_completion: "프롬프트와 완성",
  sharegpt: "대화 (ShareGPT)",
  preference: "선호 쌍",
  kto: "평가한 답 (KTO)",
  text: "일반 글",
  qa: "질문과 답",
};
