/**
 * Keys of ours in `external_ids`; the field's own keys stand as they are. Names only: what they mean for ownership is
 * switch/ownership.ts's, whose VM a port is, traffic/'s.
 */

/** The owner mark: `vswitchboard=<topology name>`. Notes of settings begin with it (`vswitchboard/<column>`). */
export const OWNER_KEY = 'vswitchboard';
/** On a row that was there before us, and that `adopt: true` took over. */
export const ADOPTED_KEY = 'vswitchboard-adopted';
/** Whose NIC an Interface row is for, in names; beside the field's `vm-id` and `iface-id`, which hold UUIDs. */
export const VM_KEY = 'vswitchboard-vm';
export const NIC_KEY = 'vswitchboard-nic';
export const NETWORK_KEY = 'vswitchboard-network';
