/**
 * The control channel of Open vSwitch's daemons, as ovs-appctl(8) uses it: JSON-RPC with a command as method, texts as
 * params, and one text as answer (ovs' lib/unixctl.c). One connection for each command, as there.
 * What commands there are and what they say: the callers'.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, toVsbError, type VsbError } from '../errors.ts';
import { Session } from '../jsonrpc/session.ts';

/** What a daemon made of a command. */
export type ControlAnswer =
  | { readonly outcome: 'done'; readonly text: string }
  /** The daemon says no, in its words, for example `"foo" is not a valid command`. */
  | { readonly outcome: 'refused'; readonly text: string };

export interface ControlOptions {
  /** For connecting, and again for the answer: the daemon answers between two rounds of its other work. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a command of a daemon, like `ovs-appctl -t SOCKET COMMAND ARGUMENTS…`.
 * @param socketPath for example /var/run/openvswitch/ovs-vswitchd.<pid>.ctl
 * @throws CONTROL_UNREACHABLE, CONTROL_TIMEOUT, CONTROL_FAILED, CANCELLED
 */
export async function runControlCommand(
  socketPath: string,
  command: string,
  args: readonly string[],
  options: ControlOptions,
): Promise<ControlAnswer> {
  const { timeoutMs, signal } = options;
  const session = await openSession(socketPath, options);
  try {
    const answer = await session.request(command, args, { timeoutMs, signal });
    switch (answer.kind) {
      case 'result':
        if (typeof answer.result === 'string') return { outcome: 'done', text: answer.result };
        throw fail('CONTROL_FAILED', { path: socketPath, command, why: 'the answer is no text' });
      case 'error':
        return { outcome: 'refused', text: answer.text };
      case 'lost':
        throw toControlError(answer.reason, socketPath, command, timeoutMs);
    }
  } finally {
    await session.close();
  }
}

/**
 * The same, where only an answer is good.
 * @returns the daemon's text
 * @throws CONTROL_REFUSED, and what `runControlCommand` throws
 */
export async function askControl(
  socketPath: string,
  command: string,
  args: readonly string[],
  options: ControlOptions,
): Promise<string> {
  const { outcome, text } = await runControlCommand(socketPath, command, args, options);
  if (outcome === 'refused') throw fail('CONTROL_REFUSED', { command, said: text.trim() });
  return text;
}

/**
 * The control socket of a daemon that was started with its defaults: `<daemon>.<pid>.ctl`, where `<daemon>.pid` says the
 * pid; without a pid file the only socket of such a name (ovs-vswitchd(8), `--unixctl`).
 * @param rundir Open vSwitch's run directory
 * @throws CONTROL_SOCKET_MISSING
 */
export async function findControlSocket(rundir: string, daemon = 'ovs-vswitchd'): Promise<string> {
  const missing = (why: string): VsbError => fail('CONTROL_SOCKET_MISSING', { daemon, rundir, why });
  let names: string[];
  try {
    names = await readdir(rundir);
  } catch (thrown) {
    throw missing(thrown instanceof Error ? thrown.message : String(thrown));
  }
  const pid = names.includes(`${daemon}.pid`) ? await readPid(join(rundir, `${daemon}.pid`)) : undefined;
  const named = `${daemon}.${pid ?? ''}.ctl`;
  if (names.includes(named)) return join(rundir, named);
  const sockets = names.filter((name) => name.startsWith(daemon) && name.endsWith('.ctl'));
  const [only, ...others] = sockets;
  // A daemon that was killed leaves its socket: of several nobody can say which is alive.
  if (only === undefined) throw missing('there is no socket of that daemon');
  if (others.length > 0) throw missing(`it has no pid file, and there are ${sockets.join(', ')}`);
  return join(rundir, only);
}

async function openSession(socketPath: string, { timeoutMs, signal }: ControlOptions): Promise<Session> {
  const limit = AbortSignal.timeout(timeoutMs);
  const remote = { method: 'unix', text: `unix:${socketPath}`, path: socketPath } as const;
  const listener = { onNotification: () => undefined, onLost: () => undefined };
  try {
    return await Session.open(remote, listener, {
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
  } catch (thrown) {
    if (limit.aborted && signal?.aborted !== true)
      throw fail('CONTROL_TIMEOUT', { path: socketPath, command: 'connecting', limitMs: timeoutMs });
    throw toControlError(toVsbError(thrown), socketPath, 'connecting', timeoutMs);
  }
}

/** The session's errors speak of OVSDB servers; this socket is another's. */
function toControlError(error: VsbError, path: string, command: string, limitMs: number): VsbError {
  const { code, cause } = error;
  if (code === 'CANCELLED') return error;
  if (code === 'OVSDB_TIMEOUT') return fail('CONTROL_TIMEOUT', { path, command, limitMs });
  if (code === 'OVSDB_UNREACHABLE') {
    const why = cause instanceof Error ? cause.message : 'it hung up at once';
    return fail('CONTROL_UNREACHABLE', { path, why }, { cause });
  }
  const { why } = error.details;
  return fail(
    'CONTROL_FAILED',
    { path, command, why: typeof why === 'string' ? why : code },
    { cause: error },
  );
}

/** @returns the pid as text, or `undefined` where the file is not to be read, or has none */
async function readPid(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return /^\d+/.exec(text.trim())?.[0];
}
