/** Open vSwitch as a domain: observe, diff, apply, verify over one OVSDB client. */
import type { Domain } from '../domain.ts';
import { fail } from '../errors.ts';
import type { OvsdbClient } from '../ovsdb/client/client.ts';
import type { OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import type { DesiredState } from '../topology/desired.ts';
import { applySwitch } from './apply.ts';
import type { SwitchChange } from './change.ts';
import { diffSwitch, diffSwitchRemoval } from './diff.ts';
import { observeSwitch } from './observe.ts';
import type { ObservedSwitch } from './observed.ts';
import { waitUntilTakenUp } from './takenup.ts';
import { verifySwitch } from './verify.ts';

export interface SwitchDomainOptions {
  /** Holds at least SWITCH_COLUMNS. Its owner closes it. */
  readonly client: OvsdbClient<OpenVSwitchTables>;
  /** For messages. */
  readonly remote: string;
  /** Where the switch's devices are. */
  readonly netns: string | undefined;
  /** Rows only: ovs-vswitchd need not run, and nothing is waited for or verified. */
  readonly databaseOnly: boolean;
}

/** The switch behind a client. One call of `apply` follows one of `observe`; `verify` waits for the last `apply`. */
export function switchDomain(
  options: SwitchDomainOptions,
): Domain<DesiredState, ObservedSwitch, SwitchChange> {
  const { client, databaseOnly, netns, remote } = options;
  let observed: ObservedSwitch | undefined;
  let nextCfg: bigint | undefined;
  return {
    observe: () => {
      observed = observeSwitch(client.snapshot());
      return Promise.resolve(observed);
    },
    diff: diffSwitch,
    removal: diffSwitchRemoval,
    apply: async (changes, wait) => {
      if (!observed) throw fail('INTERNAL', { what: 'the switch was not observed before apply' });
      const applied = await applySwitch(client, changes, observed, {
        databaseOnly,
        remote,
        signal: wait.signal,
      });
      nextCfg = applied.nextCfg;
      if (nextCfg !== undefined && changes.some(takesAway)) {
        // Whoever removes the devices next must not pull them from under ovs-vswitchd. Verify tells when it is late.
        await waitUntilTakenUp(client, nextCfg, wait);
      }
      return applied;
    },
    verify: async (desired, wait) =>
      databaseOnly ? [] : verifySwitch(client, desired, { ...wait, nextCfg, netns }),
  };
}

function takesAway(change: SwitchChange): boolean {
  return change.verb === 'remove';
}
