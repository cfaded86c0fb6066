/** Connects to the switch's database with what every domain's view of it needs. */
import { OvsdbClient } from '../ovsdb/client/client.ts';
import { openVSwitch, type OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import { SWITCH_COLUMNS } from '../switch/observe.ts';
import { createLog } from './log.ts';
import type { Settings } from './settings.ts';

/** The caller closes it. Without `follow` the replica stays as it was at first. Throws what OvsdbClient.connect throws. */
export function connectSwitch(
  settings: Settings,
  options: { readonly signal?: AbortSignal | undefined; readonly follow?: boolean } = {},
): Promise<OvsdbClient<OpenVSwitchTables>> {
  return OvsdbClient.connect({
    remote: settings.remote,
    schema: openVSwitch,
    columns: SWITCH_COLUMNS,
    log: createLog(settings.logLevel),
    follow: options.follow ?? true,
    ...(options.signal ? { signal: options.signal } : {}),
  });
}
