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
  PROGRAM_MISSING: define(
    1,
    500,
    (d: { program: string; debianPackage: string | undefined }) =>
      `Program "${d.program}" is not installed, or not in PATH. ` +
      (d.debianPackage === undefined
        ? 'Install the package that has it.'
        : `On Debian and Ubuntu: apt-get install ${d.debianPackage}`),
  ),
  PROGRAM_NOT_STARTED: define(
    1,
    500,
    (d: { program: string; why: string }) =>
      `Program "${d.program}" could not be started: ${d.why}. Check its permissions, and the limits of this user.`,
  ),
  PROGRAM_TIMEOUT: define(
    1,
    504,
    (d: { program: string; timeoutMs: number }) =>
      `Program "${d.program}" took longer than ${String(d.timeoutMs)} ms and was ended. ` +
      'Check whether what it talks to answers, then try again.',
  ),
  PROGRAM_FAILED: define(
    1,
    500,
    (d: { program: string; status: number; said: string }) =>
      `Program "${d.program}" failed with exit status ${String(d.status)}: ` +
      `${d.said === '' ? 'it gave no reason' : d.said}. Mend what it names, then try again.`,
  ),
  PROGRAM_OUTPUT_TOO_LONG: define(
    1,
    500,
    (d: { program: string; maxBytes: number }) =>
      `Program "${d.program}" printed more than ${String(d.maxBytes)} bytes and was ended. ` +
      'Run it by hand to see what it prints.',
  ),
  NETNS_MISSING: define(
    1,
    404,
    (d: { netns: string }) =>
      `There is no network namespace "${d.netns}". Check --netns (VSB_NETNS) against "ip netns list".`,
  ),
  NOT_PERMITTED: define(
    1,
    403,
    (d: { what: string }) =>
      `Not permitted: ${d.what}. Run as root, or with the capabilities CAP_NET_ADMIN and CAP_SYS_ADMIN.`,
  ),
  // --- jsonrpc
  // --- ovsdb
  // --- openflow
  OPENFLOW_UNREACHABLE: define(
    1,
    503,
    (d: { path: string; why: string }) =>
      `Cannot reach the bridge at "${d.path}": ${d.why}. ` +
      'Check that ovs-vswitchd runs, that the bridge exists, and that --ovs-rundir is its run directory.',
  ),
  OPENFLOW_FORBIDDEN: define(
    1,
    403,
    (d: { path: string }) =>
      `Not allowed to open "${d.path}". Run as root, or as a user who may write to that socket.`,
  ),
  OPENFLOW_VERSION: define(
    1,
    502,
    (d: { path: string; why: string }) =>
      `The bridge at "${d.path}" does not speak OpenFlow 1.3: ${d.why}. ` +
      'Add OpenFlow13 to the "protocols" column of its Bridge row, or leave that column empty.',
  ),
  OPENFLOW_PROTOCOL: define(
    1,
    502,
    (d: { what: string; where: string | undefined }) =>
      `What came from ${d.where === undefined ? 'the switch' : `"${d.where}"`} is not OpenFlow 1.3: ${d.what}. ` +
      "Check that this is a bridge's management socket; if it is, report this with the version of Open vSwitch.",
  ),
  OPENFLOW_REFUSED: define(
    1,
    502,
    (d: { path: string; what: string; why: string }) =>
      `The bridge at "${d.path}" refused to give its ${d.what}: ${d.why}. See the log of ovs-vswitchd.`,
  ),
  OPENFLOW_TIMEOUT: define(
    1,
    504,
    (d: { path: string; what: string; limitMs: number }) =>
      `The bridge at "${d.path}" did not answer within ${String(d.limitMs)} ms (${d.what}). ` +
      'ovs-vswitchd may be busy or stopped: see its log.',
  ),
  OPENFLOW_CLOSED: define(
    1,
    503,
    (d: { path: string; what: string }) =>
      `The connection to the bridge at "${d.path}" ended (${d.what}). ` +
      'ovs-vswitchd was stopped or restarted, or the bridge was removed; try again once it is there.',
  ),
  // --- traffic
  WATCH_BRIDGE_MISSING: define(
    1,
    404,
    (d: { bridge: string; known: readonly string[] }) =>
      `There is no bridge "${d.bridge}" in this Open vSwitch. ` +
      (d.known.length === 0
        ? 'It has no bridges at all: apply a topology first, or check --remote.'
        : `Its bridges: ${d.known.join(', ')}.`),
  ),
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
