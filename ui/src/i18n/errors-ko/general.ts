import type { ErrorDictionary } from "./types";

/** 오류: 어디에서나. */
export const generalErrors: ErrorDictionary = {
  "address-taken": { title: "이미 사용 중인 주소입니다", hint: "--port로 다른 포트를 주거나, 0으로 빈 포트를 쓰세요." },
  conflict: { title: "지금 상태에서는 할 수 없습니다", hint: "지금 상태를 보고, 할 수 있을 때 다시 하세요." },
  "disk-full": { title: "디스크가 가득 찼습니다", hint: "디스크 공간을 비운 뒤 다시 시도하세요." },
  "file-security": { title: "허용되지 않는 파일 이름입니다", hint: "파일 이름에서 특수 문자를 빼고 다시 올리세요." },
  "file-too-large": {
    title: "파일이 너무 큽니다",
    hint: "조각으로 나누어 올리세요. 웹 화면과 명령줄은 스스로 그렇게 합니다.",
  },
  forbidden: { title: "권한이 없습니다", hint: "프로젝트의 소유자에게 표시된 권한을 요청하세요." },
  "idempotency-key": {
    title: "Idempotency-Key를 여기에 쓸 수 없습니다",
    hint: "같은 키에는 같은 내용을 보내거나, 새 키를 쓰세요.",
  },
  internal: { title: "Tunesmith 안에서 문제가 생겼습니다", hint: "요청 번호로 서버 로그를 찾아 함께 알려 주세요." },
  "job-failed": { title: "작업이 성공하지 못했습니다", hint: "작업의 로그를 보세요." },
  "missing-extra": {
    title: "선택 구성 요소가 설치되지 않았습니다",
    hint: "pip install 'tunesmith[all]'로 설치하세요.",
  },
  "not-found": { title: "찾는 것이 없습니다", hint: "목록에서 이름이나 번호를 확인하세요." },
  "object-not-found": {
    title: "저장소에 그런 파일이 없습니다",
    hint: "지워졌거나 다 쓰이지 않았을 수 있습니다. 다시 만드세요.",
  },
  range: {
    title: "파일의 그 위치에는 아무것도 없습니다",
    hint: "처음부터 내려받으세요. 다 받은 파일이면 더 받을 것이 없습니다.",
  },
  "schema-too-new": {
    title: "데이터베이스가 더 새 버전의 것입니다",
    hint: "더 새로운 Tunesmith를 시작하거나, 이 버전에서 만든 백업을 되살리세요.",
  },
  "storage-full": {
    title: "저장소가 가득 찼습니다",
    hint: "데이터 폴더의 공간을 비우고 다시 하세요. 바뀐 것은 없습니다.",
  },
  "storage-key": {
    title: "저장소에서 쓸 수 없는 이름입니다",
    hint: "'..', 맨 앞의 '/'나 '.', 역슬래시, 제어 문자가 없는 이름을 쓰세요.",
  },
  "storage-unavailable": {
    title: "저장소에 연결할 수 없습니다",
    hint: "TUNESMITH_STORAGE__ 설정과 저장소가 켜져 있는지 확인하고 다시 하세요.",
  },
  unauthorized: { title: "먼저 로그인하세요", hint: "로그인하거나 Authorization 머리글에 API 키를 보내세요." },
  unavailable: { title: "필요한 것을 지금 쓸 수 없습니다", hint: "잠시 뒤 다시 하세요." },
  unsupported: { title: "지원하지 않습니다", hint: "문장에 나온 값 가운데 하나를 쓰세요." },
  "user-not-found": { title: "그런 사용자가 없습니다", hint: "목록에서 이름이나 번호를 확인하세요." },
  validation: { title: "입력이 올바르지 않습니다", hint: "표시된 항목을 고치고 다시 시도하세요." },
};
