/**
 * The control channel of Open vSwitch's daemons, as ovs-appctl(8) uses it: JSON-RPC with a command as method, texts as
 * params, and one text as answer (lib/unixctl.c). One connection per command. What commands there are: the daemon's.
 */
import { fail } from '../errors.ts';
import { parseRemote } from '../jsonrpc/remote.ts';
import { Session } from '../jsonrpc/session.ts';

/** What a daemon made of a command. */
export type ControlAnswer =
  | { readonly outcome: 'done'; readonly text: string }
  /** The daemon says no, in its words, for example `"foo" is not a valid command`. */
  | { readonly outcome: 'refused'; readonly text: string };

/**
 * Runs a command of a daemon, like `ovs-appctl -t SOCKET COMMAND ARGUMENTS…`.
 * @param socketPath for example /var/run/openvswitch/ovs-vswitchd.<pid>.ctl
 * @throws OVSDB_UNREACHABLE, OVSDB_TIMEOUT, OVSDB_LINK_LOST, JSONRPC_SYNTAX, OVSDB_PROTOCOL, CANCELLED
 */
export async function runControlCommand(
  socketPath: string,
  command: string,
  args: readonly string[],
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<ControlAnswer> {
  const { timeoutMs, signal } = options;
  const listener = { onNotification: () => undefined, onLost: () => undefined };
  const session = await Session.open(parseRemote(`unix:${socketPath}`), listener, {
    connectTimeoutMs: timeoutMs,
    signal,
  });
  try {
    const answer = await session.request(command, args, { timeoutMs, signal });
    switch (answer.kind) {
      case 'result':
        if (typeof answer.result !== 'string')
          throw fail('OVSDB_PROTOCOL', { where: `"${command}"`, why: 'a text was to come' });
        return { outcome: 'done', text: answer.result };
      case 'error':
        return { outcome: 'refused', text: answer.text };
      case 'lost':
        throw answer.reason;
    }
  } finally {
    await session.close();
  }
}
