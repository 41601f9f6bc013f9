/** 오류의 제목과 해결 방법. 서버가 알려 준 구체적인 내용은 그 옆에 함께 보여 줍니다. */
export interface ErrorWords {
  title: string;
  hint?: string;
}

export type ErrorDictionary = Record<string, ErrorWords>;
