/** Why a conversation with a bridge did not come about or ended, for people. Pure. */
import { fail, type VsbError } from '../errors.ts';

/** @returns `undefined` for what is no matter of reaching the socket. */
export function socketError(
  path: string,
  error: NodeJS.ErrnoException,
  isConnecting: boolean,
): VsbError | undefined {
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return fail('OPENFLOW_FORBIDDEN', { path }, { cause: error });
  }
  if (!isConnecting) return undefined;
  return fail('OPENFLOW_UNREACHABLE', { path, why: describe(error) }, { cause: error });
}

/** A peer that hangs up before its hello was not reached: a dying ovs-vswitchd still accepts for a moment. */
export function lostError(path: string, what: string, when: 'before hello' | 'after hello'): VsbError {
  return when === 'after hello'
    ? closedError(path, what)
    : fail('OPENFLOW_UNREACHABLE', { path, why: `no hello from it (${what})` });
}

export function closedError(path: string, what: string): VsbError {
  return fail('OPENFLOW_CLOSED', { path, what });
}

export function timeoutError(path: string, what: string, limitMs: number): VsbError {
  return fail('OPENFLOW_TIMEOUT', { path, what, limitMs });
}

function describe(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'no such socket';
  if (error.code === 'ECONNREFUSED') return 'nobody listens on it';
  return error.code ?? error.message;
}
