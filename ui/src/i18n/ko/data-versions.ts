import type * as english from "../en/data-versions";
import type { LocaleShape } from "../types";

/** 나누기, 버전, 품질의 말. */
export const split: LocaleShape<typeof english.split> = {
  title: "여러 부분으로 나누기",
  text: "질문이 같은 행은 같은 쪽에 두므로, 한쪽이 다른 쪽의 답을 미리 알려 주는 일이 없습니다. 나눈 부분은 각각 데이터셋이 됩니다.",
  train: "학습",
  validation: "검증",
  test: "시험",
  about: "약 {rows}행",
  seed: "시드",
  stratify: "고르게 섞을 열",
  stratifyText: "이 열의 값마다 각 부분에 제 몫만큼 들어갑니다.",
  group: "함께 둘 열",
  groupText: "값이 같은 행(고객, 문서 등)은 갈라지지 않습니다.",
  noColumn: "없음",
  near: "거의 같은 행을 함께 두기",
  nearText: "거의 같은 두 행이 서로 다른 부분에 들어가지 않습니다.",
  threshold: "비슷함의 기준",
  sum: "비율의 합이 {sum}%입니다. 100%가 되어야 합니다.",
  nothingHeldOut: "검증이나 시험에 몫을 주세요. 따로 두는 행이 없습니다.",
  action: "나누기",
  needsReady: "준비된 데이터셋만 나눌 수 있습니다.",
  working: "행을 나누고 있습니다.",
  doneTitle: "나눈 결과",
  doneText: "함께 있어야 할 행의 묶음 {groups}개, 시드 {seed}.",
  together: "함께 둔 행: 질문이 같아서 {prompt}행, 열의 값이 같아서 {group}행, 거의 같아서 {near}행.",
  strata: "값마다 나뉜 결과",
  stratum: "값",
};

export const versions: LocaleShape<typeof english.versions> = {
  title: "버전",
  text: "버전은 바뀌지 않습니다. 바꿀 때마다 새 버전이 생깁니다.",
  version: "버전",
  madeBy: "만든 방법",
  difference: "바뀐 행",
  actions: "할 일",
  shown: "보는 중",
  compare: "이 버전과 견주기",
  archive: "보관하기",
  restore: "되살리기",
  purge: "완전히 지우기",
  purgeTitle: "버전 {version}을(를) 완전히 지울까요?",
  purgeText: "행이 디스크에서 지워지고 되살릴 수 없습니다. 계보에는 자리가 남습니다.",
  lineage: "계보",
  lineageText: "무엇이 무엇에서 나왔는지, 어떤 학습이 썼는지 보여 줍니다.",
  more: "여기에 보이는 것보다 더 있습니다.",
  diffTitle: "바뀐 내용:",
  compareWith: "견줄 버전",
  towards: "→ {version} 버전",
  byContent: "뿌리가 다른 버전이라 내용이 같은 행끼리 짝지었습니다.",
  noDifference: "두 버전의 행이 같습니다.",
  kinds: { added: "추가", removed: "빠짐", changed: "바뀜" },
};

export const quality: LocaleShape<typeof english.quality> = {
  emptyTitle: "아직 검사하지 않았습니다",
  emptyText: "행을 검사하면 점수가 나옵니다.",
  formula:
    "행마다 가장 나쁜 결과만큼 점수가 깎입니다. 학습을 막는 것은 행 전체, 주의할 것은 일부, 참고할 것은 조금입니다. 남은 것이 점수입니다.",
  kinds: { format_errors: "형식", duplicates: "중복", pii: "개인정보" },
  notChecked: "찾지 않음",
  byVersion: "버전별 점수",
  history: "이 버전의 검사 기록",
  historyText: "검사할 때마다 한 줄씩 남습니다.",
};
