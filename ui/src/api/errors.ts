export interface FieldError {
  location: string;
  message: string;
  value?: unknown;
}

/** RFC 9457 problem document as the server writes it. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  hint?: string | null;
  instance?: string | null;
  code?: string;
  errors?: FieldError[];
}

/** What went wrong, in the server's words; `code` is what the page translates by. */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.name = "ApiError";
    this.problem = problem;
  }

  get code(): string {
    return this.problem.code ?? this.problem.type;
  }

  get status(): number {
    return this.problem.status;
  }
}

/** The problem in an error answer; an answer that is none (a proxy's page, a lost connection) becomes one. */
export function toApiError(status: number, body: unknown): ApiError {
  if (typeof body === "object" && body !== null && "title" in body && "status" in body) {
    return new ApiError(body as Problem);
  }
  const detail = typeof body === "string" && body.length < 300 ? body : "";
  return new ApiError({ type: "unexpected-answer", title: `HTTP ${status}`, status, detail });
}

export function unreachable(): ApiError {
  return new ApiError({ type: "unreachable", title: "The server does not answer", status: 0, detail: "" });
}

/** Anything that was thrown, as an `ApiError`. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof TypeError) return unreachable();
  const detail = error instanceof Error ? error.message : String(error);
  return new ApiError({ type: "unexpected", title: "Something went wrong on this page", status: 0, detail });
}
