/** What the bridges will be, for the accounting pipeline, once changes are made. Pure. */
import { OWNER_KEY, VISIBILITY_KEY } from '../../units/externalids.ts';
import type { CreatePort, MapEdit, SwitchChange, UpdatePort } from '../change.ts';
import type { PipelineBridge, PipelinePort } from './pipelinebridge.ts';

/**
 * @param changes bridges before their ports
 * @returns all bridges, those without a change as they are
 */
export function bridgesAfter(
  bridges: ReadonlyMap<string, PipelineBridge>,
  changes: readonly SwitchChange[],
): ReadonlyMap<string, PipelineBridge> {
  const preview = new Preview(bridges);
  for (const { name, edit } of changes) {
    switch (edit.edit) {
      case 'create-bridge':
        preview.addBridge(name, edit.owner, edit.visibility);
        break;
      case 'update-bridge':
        preview.updateBridge(name, edit.externalIds);
        break;
      case 'remove-bridge':
        preview.removeBridge(name);
        break;
      case 'create-port':
        preview.addPort(name, edit);
        break;
      case 'update-port':
        preview.updatePort(name, edit);
        break;
      case 'remove-port':
        preview.removePort(name);
        break;
      case 'remove-qos':
      case 'write-flows':
        break;
    }
  }
  return preview.bridges();
}

interface Draft extends Omit<PipelineBridge, 'ports'> {
  readonly ports: Map<string, PipelinePort>;
}

class Preview {
  readonly #drafts = new Map<string, Draft>();
  /** Port → bridge; made where a port is looked for the first time. */
  readonly #bridgeOfPort = new Map<string, string>();
  /** Ports to come have no number yet: one that no port has stands in for it. */
  #standIn = 0;

  constructor(bridges: ReadonlyMap<string, PipelineBridge>) {
    for (const bridge of bridges.values()) {
      const ports = new Map(bridge.ports.map((port) => [port.name, port]));
      this.#drafts.set(bridge.name, { ...bridge, ports });
      for (const { port } of bridge.ports) this.#bridgeOfPort.set(port, bridge.name);
    }
  }

  addBridge(name: string, owner: string, visibility: 'pairs' | undefined): void {
    const externalIds = new Map([[OWNER_KEY, owner]]);
    if (visibility !== undefined) externalIds.set(VISIBILITY_KEY, visibility);
    const local = { ...UNPLUGGED, name, port: name, type: 'internal', ofport: LOCAL_PORT };
    const ports = new Map([[name, local]]);
    this.#drafts.set(name, { name, controllers: [], isSecure: false, externalIds, ports });
  }

  updateBridge(name: string, edit: MapEdit): void {
    const draft = this.#drafts.get(name);
    if (draft) this.#drafts.set(name, { ...draft, externalIds: edited(draft.externalIds, edit) });
  }

  removeBridge(name: string): void {
    this.#drafts.delete(name);
  }

  addPort(name: string, { bridge, port, iface, interfaceIds }: CreatePort): void {
    this.#plug(bridge, {
      ...UNPLUGGED,
      name,
      port: name,
      ofport: iface.ofport_request ?? --this.#standIn,
      tag: port.tag,
      trunks: port.trunks ?? [],
      vlanMode: port.vlan_mode,
      externalIds: interfaceIds,
    });
  }

  updatePort(name: string, { port: columns, iface, interfaceIds, move }: UpdatePort): void {
    const draft = this.#drafts.get(this.#bridgeOfPort.get(name) ?? '');
    const port = draft?.ports.get(name);
    if (!draft || !port) return;
    const after: PipelinePort = {
      ...port,
      ofport: iface.ofport_request ?? port.ofport,
      tag: 'tag' in columns ? columns.tag : port.tag,
      trunks: columns.trunks ?? port.trunks,
      vlanMode: 'vlan_mode' in columns ? columns.vlan_mode : port.vlanMode,
      externalIds: edited(port.externalIds, interfaceIds),
    };
    draft.ports.delete(name);
    this.#plug(move?.toBridge ?? draft.name, after);
  }

  removePort(name: string): void {
    const draft = this.#drafts.get(this.#bridgeOfPort.get(name) ?? '');
    for (const { name: iface, port } of draft?.ports.values() ?? []) {
      if (port === name) draft?.ports.delete(iface);
    }
  }

  bridges(): ReadonlyMap<string, PipelineBridge> {
    return new Map(
      [...this.#drafts.values()].map((draft) => {
        const ports = [...draft.ports.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
        return [draft.name, { ...draft, ports }];
      }),
    );
  }

  #plug(bridge: string, port: PipelinePort): void {
    this.#drafts.get(bridge)?.ports.set(port.name, port);
    this.#bridgeOfPort.set(port.port, bridge);
  }
}

/** `OFPP_LOCAL` as Open vSwitch's database has it. */
const LOCAL_PORT = 65534;

const UNPLUGGED = Object.freeze({
  type: '',
  ofport: undefined,
  isAttached: false,
  driver: undefined,
  macInUse: undefined,
  tag: undefined,
  trunks: Object.freeze([]),
  vlanMode: undefined,
  externalIds: new Map<string, string>(),
});

function edited(ids: ReadonlyMap<string, string>, { set, remove }: MapEdit): ReadonlyMap<string, string> {
  const after = new Map([...ids, ...set]);
  for (const key of remove) after.delete(key);
  return after;
}
