/**
 * The kernel as a domain: a tap or macvtap for each NIC that has one, marked as ours, and plain Linux bridges. Ports of
 * Open vSwitch are switch/'s.
 */
import type { Domain } from '../domain.ts';
import type { DesiredState } from '../topology/desired.ts';
import { applyToHost } from './apply.ts';
import { diffHost, removalFromHost } from './diff.ts';
import { observeHost } from './observe.ts';
import { observePci } from './pci.ts';
import { observePciUsers } from './pciusers.ts';
import type { HostChange, ObservedHost } from './types.ts';
import { findingsOnHost } from './verify.ts';
import { vhostNetObstacle } from './vhostnet.ts';

export interface HostDomainOptions {
  /** Network namespace of the taps; `undefined`: the one that we run in. */
  readonly netns: string | undefined;
}

/**
 * The host domain of one network namespace. What it throws besides what the changes themselves report:
 * NETNS_MISSING, NOT_PERMITTED, PROGRAM_MISSING, PROGRAM_FAILED, PROGRAM_TIMEOUT, CANCELLED.
 */
export function hostDomain(options: HostDomainOptions): Domain<DesiredState, ObservedHost, HostChange> {
  const { netns } = options;
  return {
    observe: async (desired) => {
      const asked = new Set(desired.vms.flatMap((vm) => vm.nics.map(({ backend }) => backend.kind)));
      const [observed, obstacle, pci, pciUsers] = await Promise.all([
        observeHost(netns),
        asked.has('vhost-net') ? vhostNetObstacle() : undefined,
        asked.has('passthrough') ? observePci() : undefined,
        asked.has('passthrough') ? observePciUsers() : undefined,
      ]);
      return { ...observed, vhostNetObstacle: obstacle, pci, pciUsers };
    },
    diff: diffHost,
    removal: removalFromHost,
    apply: (changes, wait) => applyToHost(changes, netns, wait),
    // A device is in effect as soon as it is there: nothing to wait for.
    verify: async (desired, wait) => findingsOnHost(desired, await observeHost(netns, wait.signal)),
  };
}
