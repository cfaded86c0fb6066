/**
 * The registry of errors: code → what a person reads, exit status, HTTP status. One class carries them all.
 * Every message says what, where, and what to do. docs/errors.md lists the same codes (tested both ways).
 *
 * Exit status: 1 failed; 64 wrong usage; 78 invalid topology (sysexits.h names).
 */

interface Definition<D> {
  readonly exit: 1 | 64 | 78;
  readonly http: number;
  readonly message: (details: D) => string;
}

function define<D>(exit: 1 | 64 | 78, http: number, message: (details: D) => string): Definition<D> {
  return { exit, http, message };
}

const registry = {
  // --- general
  INTERNAL: define(
    1,
    500,
    (d: { what: string }) =>
      `Unexpected fault: ${d.what}. Run again with --log-level debug and report what it prints.`,
  ),
  USAGE: define(64, 400, (d: { what: string }) => d.what),
  FILE_UNREADABLE: define(
    1,
    400,
    (d: { path: string; why: string }) =>
      `Cannot read "${d.path}": ${d.why}. Check the path and its permissions.`,
  ),
  FILE_UNWRITABLE: define(
    1,
    500,
    (d: { path: string; why: string }) =>
      `Cannot write "${d.path}": ${d.why}. Check the path, its permissions and free space.`,
  ),
  CANCELLED: define(1, 499, (d: { what: string }) => `Stopped before the end: ${d.what}.`),
  // --- process
  // --- jsonrpc
  // --- ovsdb
  // --- openflow
  // --- topology
  // --- switch
  // --- host
  // --- guest
  // --- sandbox
  // --- plan
} as const satisfies Record<string, Definition<never>>;

type Registry = typeof registry;

/** Every error code. */
export type ErrorCode = keyof Registry;
/** What the message of a code needs to know. */
export type ErrorDetails<C extends ErrorCode> = Parameters<Registry[C]['message']>[0];

/** The one error class: a code of the registry, and what its message was made from. */
export class VsbError extends Error {
  override readonly name = 'VsbError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  readonly exitStatus: number;
  readonly httpStatus: number;

  constructor(code: ErrorCode, details: Readonly<Record<string, unknown>>, options?: ErrorOptions) {
    const definition = registry[code] as unknown as Definition<Readonly<Record<string, unknown>>>;
    super(definition.message(details), options);
    this.code = code;
    this.details = details;
    this.exitStatus = definition.exit;
    this.httpStatus = definition.http;
  }
}

/** Makes the error of a code: `throw fail('FILE_UNREADABLE', { path, why })`. */
export function fail<C extends ErrorCode>(
  code: C,
  details: ErrorDetails<C>,
  options?: ErrorOptions,
): VsbError {
  return new VsbError(code, details, options);
}

/** All codes with exit and HTTP status, for documentation and its test. */
export function errorCodes(): { code: ErrorCode; exitStatus: number; httpStatus: number }[] {
  return (Object.keys(registry) as ErrorCode[]).map((code) => ({
    code,
    exitStatus: registry[code].exit,
    httpStatus: registry[code].http,
  }));
}

/** Any thrown value as a VsbError: itself where it is one, else `INTERNAL` with the cause kept. */
export function toVsbError(thrown: unknown): VsbError {
  if (thrown instanceof VsbError) return thrown;
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  return fail('INTERNAL', { what }, { cause: thrown });
}
