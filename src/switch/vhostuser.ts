/** Ports of Open vSwitch whose other end is QEMU itself (dpdkvhostuserclient): their columns, and what they need. Pure. */
import { fail, type VsbError } from '../errors.ts';
import type { InterfaceColumns } from './change.ts';
import type { ObservedInterface, ObservedSwitch } from './observed.ts';
import type { PortSpec } from './portspec.ts';

const TYPE = 'dpdkvhostuserclient';
const SERVER_PATH = 'vhost-server-path';

/** One column that differs. */
interface Difference {
  readonly field: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/**
 * What makes an interface such a port, or a device of the kernel again.
 * @param iface `undefined` where it is not there yet
 */
export function vhostUserColumns(
  { vhostUser }: Pick<PortSpec, 'vhostUser'>,
  iface: Pick<ObservedInterface, 'type' | 'options' | 'mtuRequest'> | undefined,
): { readonly columns: InterfaceColumns; readonly differences: readonly Difference[] } {
  const is = iface?.type === TYPE;
  if (!vhostUser) {
    if (!is) return { columns: {}, differences: [] };
    return {
      columns: { type: '', options: new Map(), mtu_request: undefined },
      differences: [{ field: 'type', from: TYPE, to: undefined }],
    };
  }
  const columns: InterfaceColumns = {};
  const differences: Difference[] = [];
  const path = iface?.options.get(SERVER_PATH);
  if (!is) {
    columns.type = TYPE;
    differences.push({ field: 'type', from: iface?.type === '' ? undefined : iface?.type, to: TYPE });
  }
  if (!is || path !== vhostUser.serverPath) {
    columns.options = new Map([[SERVER_PATH, vhostUser.serverPath]]);
    differences.push({ field: `options:${SERVER_PATH}`, from: path, to: vhostUser.serverPath });
  }
  if (vhostUser.mtu !== undefined && vhostUser.mtu !== iface?.mtuRequest) {
    columns.mtu_request = vhostUser.mtu;
    differences.push({
      field: 'mtu_request',
      from: iface?.mtuRequest?.toString(),
      to: vhostUser.mtu.toString(),
    });
  }
  return { columns, differences };
}

/** Why this switch cannot have such a port; a switch of which only rows are looked at is not asked. */
export function vhostUserObstacle(
  spec: PortSpec,
  datapath: string,
  { ifaceTypes, dpdkInitialised, pipelines }: ObservedSwitch,
): VsbError | undefined {
  if (!spec.vhostUser || pipelines === undefined) return undefined;
  const refuse = (why: string): VsbError =>
    fail('VHOST_USER_UNAVAILABLE', { nic: spec.nic ?? spec.name, why });
  if (!ifaceTypes.includes(TYPE)) {
    return refuse(
      'this ovs-vswitchd was built without DPDK. Install one that has it (Debian: openvswitch-switch-dpdk)',
    );
  }
  if (!dpdkInitialised) {
    return refuse(
      'DPDK is not initialised. Run "ovs-vsctl set Open_vSwitch . other_config:dpdk-init=true", restart ovs-vswitchd and read its log',
    );
  }
  if (datapath !== 'netdev') {
    return refuse(`bridge "${spec.bridge}" has the datapath "${datapath}". Write "datapath: netdev"`);
  }
  return undefined;
}
