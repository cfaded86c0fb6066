/** What the facts of Open vSwitch mean. Pure; app/doctor.ts reads them from the database. */
import { notOk, ok, type Check } from './check.ts';

export interface SwitchFacts {
  /** `undefined` where nobody has written it into the database. */
  readonly version: string | undefined;
  readonly interfaceTypes: readonly string[];
  readonly isDpdkInitialised: boolean;
  /** `other_config:userspace-tso-enable`. */
  readonly isUserspaceTsoOn: boolean;
  /** The numbers of the configuration that is wanted and of the one that is in effect. */
  readonly nextConfig: bigint;
  readonly currentConfig: bigint;
  /** Bridges with the userspace datapath. */
  readonly userspaceBridges: readonly string[];
  /** What ovs-vswitchd says its version is, over its control socket; or why it says nothing. */
  readonly daemon: { readonly says: string } | { readonly error: string };
}

const RESTART = 'restart ovs-vswitchd (Debian: systemctl restart openvswitch-switch)';
/** The oldest that vsb was tried with. */
const TRIED = [3, 1] as const;

export function judgeSwitch(facts: SwitchFacts): Check[] {
  return [judgeVersion(facts), judgeDaemon(facts), judgeDpdk(facts), judgeOffloads(facts)];
}

function judgeVersion({ version, daemon }: SwitchFacts): Check {
  const said = version ?? ('says' in daemon ? /\d+\.\d+\.\d+/.exec(daemon.says)?.[0] : undefined);
  if (said === undefined)
    return notOk(
      'ovs-version',
      'warning',
      'unknown: neither the database nor the daemon says',
      'ovs-vswitchd --version',
    );
  const [major = 0, minor = 0] = said.split('.').map(Number);
  const isOld = major < TRIED[0] || (major === TRIED[0] && minor < TRIED[1]);
  return isOld
    ? notOk(
        'ovs-version',
        'warning',
        `${said}: vsb was tried with 3.1 and later`,
        'apt-get install openvswitch-switch',
      )
    : ok('ovs-version', said);
}

function judgeDaemon({ daemon, nextConfig, currentConfig }: SwitchFacts): Check {
  if ('error' in daemon) return notOk('ovs-vswitchd', 'problem', daemon.error, RESTART);
  if (currentConfig < nextConfig)
    return notOk(
      'ovs-vswitchd',
      'problem',
      `it answers, but is behind the database: configuration ${String(currentConfig)} of ${String(nextConfig)} is in effect`,
      `read its log; if it stays behind, ${RESTART}`,
    );
  return ok('ovs-vswitchd', 'it answers, and has put the database into effect');
}

function judgeDpdk({ interfaceTypes, isDpdkInitialised }: SwitchFacts): Check {
  if (!interfaceTypes.includes('dpdkvhostuserclient'))
    return notOk(
      'dpdk',
      'warning',
      'this ovs-vswitchd was built without DPDK',
      'apt-get install openvswitch-switch-dpdk',
    );
  return isDpdkInitialised
    ? ok('dpdk', 'initialised')
    : notOk(
        'dpdk',
        'warning',
        'DPDK is not initialised',
        `ovs-vsctl set Open_vSwitch . other_config:dpdk-init=true, then ${RESTART}`,
      );
}

function judgeOffloads({ isUserspaceTsoOn, userspaceBridges }: SwitchFacts): Check {
  if (userspaceBridges.length === 0) return ok('offloads', 'no bridge has the userspace datapath');
  if (isUserspaceTsoOn) return ok('offloads', 'userspace-tso-enable is on');
  return notOk(
    'offloads',
    'warning',
    `${userspaceBridges.join(', ')}: userspace datapath without TSO; guests of vsb finish their checksums themselves, those of others may not`,
    `ovs-vsctl set Open_vSwitch . other_config:userspace-tso-enable=true, then ${RESTART}`,
  );
}
