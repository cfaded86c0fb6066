/** Connects to the switch's database with what every domain's view of it needs. */
import { OvsdbClient } from '../ovsdb/client.ts';
import { openVSwitch, type OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import { SWITCH_COLUMNS } from '../switch/observe.ts';
import { createLog } from './log.ts';
import type { Settings } from './settings.ts';

/** A socket on this host connects at once; a remote one may need a resend or two of its first packet. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A transaction of 20,000 ports takes ovsdb-server under 3 s; the rest is for a busy host. */
const REQUEST_TIMEOUT_MS = 30_000;

/** The caller closes it. Without `follow` the replica stays as it was at first. Throws what OvsdbClient.connect throws. */
export function connectSwitch(
  settings: Settings,
  options: { readonly signal?: AbortSignal | undefined; readonly follow?: boolean } = {},
): Promise<OvsdbClient<OpenVSwitchTables>> {
  return OvsdbClient.connect({
    remote: settings.remote,
    schema: openVSwitch,
    columns: SWITCH_COLUMNS,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    log: createLog(settings.logLevel),
    follow: options.follow ?? true,
    ...(options.signal ? { signal: options.signal } : {}),
  });
}
