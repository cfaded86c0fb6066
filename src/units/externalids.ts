/**
 * Keys of ours in `external_ids`, and whose NIC an Interface is by them; the field's own keys stand as they are. What they
 * mean for ownership is switch/ownership.ts's. Pure.
 */

/** The owner mark: `vswitchboard=<topology name>`. Notes of settings begin with it (`vswitchboard/<column>`). */
export const OWNER_KEY = 'vswitchboard';
/** On a row that was there before us, and that `adopt: true` took over. */
export const ADOPTED_KEY = 'vswitchboard-adopted';
/** Whose NIC an Interface row is for, in names; beside the field's `vm-id` and `iface-id`, which hold UUIDs. */
export const VM_KEY = 'vswitchboard-vm';
export const NIC_KEY = 'vswitchboard-nic';
export const NETWORK_KEY = 'vswitchboard-network';

/** On a bridge of ours: what is to be counted on it (`pairs`). Absent: what its ports count by themselves. */
export const VISIBILITY_KEY = 'vswitchboard-visibility';

/**
 * The VM that an Interface is a NIC of, from its `external_ids`: our own key first; else what libvirt (`vm-id`), os-vif
 * (`vm-uuid`) or others (`iface-id` alone) write. `undefined`: it is no VM's.
 */
export function vmOf(externalIds: ReadonlyMap<string, string>): string | undefined {
  return (
    externalIds.get(VM_KEY) ??
    externalIds.get('vm-id') ??
    externalIds.get('vm-uuid') ??
    externalIds.get('iface-id')
  );
}
