/** 코드마다 제목과, 무엇을 하면 되는지. */
export type ErrorWords = Record<string, readonly [title: string, hint: string]>;
