/** Connects to the switch's database with what every domain's view of it needs, or is called by it. */
import { fail, toVsbError } from '../errors.ts';
import { isPassive, parseRemotes, renderHostAndPort, type PassiveRemote } from '../jsonrpc/remote.ts';
import { OvsdbClient } from '../ovsdb/client/client.ts';
import { openVSwitch, type OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import type { ColumnChoice } from '../ovsdb/schema/schema.ts';
import { SWITCH_COLUMNS } from '../switch/observe.ts';
import { createLog } from './log.ts';
import type { Settings } from './settings.ts';

export interface ConnectSwitchOptions {
  readonly signal?: AbortSignal | undefined;
  /** False: the replica stays as it was at first. Default: true. */
  readonly follow?: boolean;
  /** What the replica holds. Default: what plan, apply and show read. */
  readonly columns?: ColumnChoice<OpenVSwitchTables>;
  /**
   * At a passive remote: how long the switch may take to call and to hand over its first copy, in milliseconds.
   * Default: 20 s, since Open vSwitch calls every 8 s at the latest (ovs-vswitchd.conf.db(5), Manager, `max_backoff`).
   */
  readonly callLimitMs?: number;
}

const CALL_LIMIT_MS = 20_000;

/** The caller closes it. @throws what OvsdbClient.connect throws; REMOTE_NOT_CALLED */
export async function connectSwitch(
  settings: Settings,
  options: ConnectSwitchOptions = {},
): Promise<OvsdbClient<OpenVSwitchTables>> {
  const connect = (signal: AbortSignal | undefined): Promise<OvsdbClient<OpenVSwitchTables>> =>
    OvsdbClient.connect({
      remote: settings.remote,
      tls: settings.tls,
      schema: openVSwitch,
      columns: options.columns ?? SWITCH_COLUMNS,
      log: createLog(settings.logLevel),
      follow: options.follow ?? true,
      signal,
    });
  const passive = parseRemotes(settings.remote).find(isPassive);
  return passive ? beCalled(passive, connect, options) : connect(options.signal);
}

/** Nobody may ever call, so there is an end to waiting. */
async function beCalled<Client>(
  remote: PassiveRemote,
  connect: (signal: AbortSignal) => Promise<Client>,
  { signal, callLimitMs: limitMs = CALL_LIMIT_MS }: ConnectSwitchOptions,
): Promise<Client> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
  }, limitMs);
  try {
    return await connect(signal ? AbortSignal.any([signal, late.signal]) : late.signal);
  } catch (thrown) {
    const cause = toVsbError(thrown);
    if (cause.code !== 'CANCELLED' || !late.signal.aborted) throw cause;
    throw fail('REMOTE_NOT_CALLED', { remote: remote.text, manager: managerFor(remote), limitMs }, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** What the switch has to be told, so that it calls (ovs-vsctl(8), set-manager). */
function managerFor(remote: PassiveRemote): string {
  if (remote.method === 'punix') return `unix:${remote.path}`;
  const isAny = remote.host === '0.0.0.0' || remote.host === '::';
  const place = renderHostAndPort(isAny ? 'THIS_HOST' : remote.host, remote.port);
  return `${remote.method === 'ptcp' ? 'tcp' : 'ssl'}:${place}`;
}
