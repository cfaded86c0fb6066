/** What Open vSwitch's database says is there, ours or not, in the terms that the comparison needs. Types only. */
import type { Uuid } from '../ovsdb/schema/schema.ts';
import type { BridgeFlows } from './pipeline/bridgeflows.ts';
import type { PipelineBridge } from './pipeline/pipelinebridge.ts';

export interface ObservedSwitch {
  /** The row of the table Open_vSwitch; there is always exactly one. */
  readonly rootUuid: Uuid;
  /** True where the kernel has Open vSwitch's datapath loaded. */
  readonly kernelDatapath: boolean;
  /** By name. */
  readonly bridges: ReadonlyMap<string, ObservedBridge>;
  /** By name, over all bridges; Open vSwitch keeps port names unique. */
  readonly ports: ReadonlyMap<string, ObservedPort>;
  /** Name of an Interface → name of its Port: members of a bond have names of their own. */
  readonly portOfInterface: ReadonlyMap<string, string>;
  readonly qos: ReadonlyMap<Uuid, ObservedQos>;
  /** The types of interfaces that ovs-vswitchd can open; empty where it has never run. */
  readonly ifaceTypes: readonly string[];
  readonly dpdkInitialised: boolean;
  /** Where guests have their sockets, for vhost-user ports. */
  readonly runDir: string | undefined;
  /** `undefined` where rows alone are looked at. */
  readonly pipelines: ObservedPipelines | undefined;
}

/** What the accounting pipelines of the bridges are made from, and what of them is there. */
export interface ObservedPipelines {
  /** By name. */
  readonly bridges: ReadonlyMap<string, PipelineBridge>;
  /** By bridge; without those that nobody asked for, and those that could not be read. */
  readonly flows: ReadonlyMap<string, BridgeFlows>;
}

export interface ObservedBridge {
  readonly uuid: Uuid;
  readonly name: string;
  /** Empty: Open vSwitch takes `system`. */
  readonly datapathType: string;
  readonly rstp: boolean;
  readonly mcastSnooping: boolean;
  readonly externalIds: ReadonlyMap<string, string>;
  /** The bridge's own port of the same name included. */
  readonly portNames: readonly string[];
}

export interface ObservedPort {
  readonly uuid: Uuid;
  readonly name: string;
  readonly bridge: string;
  readonly tag: number | undefined;
  readonly trunks: readonly number[];
  readonly vlanMode: string | undefined;
  readonly qosUuid: Uuid | undefined;
  readonly externalIds: ReadonlyMap<string, string>;
  readonly interfaces: readonly ObservedInterface[];
}

export interface ObservedInterface {
  readonly uuid: Uuid;
  readonly name: string;
  /** Empty: a device of the kernel. */
  readonly type: string;
  readonly options: ReadonlyMap<string, string>;
  readonly mtuRequest: bigint | undefined;
  readonly ofportRequest: number | undefined;
  readonly policingRateKbps: bigint;
  readonly policingBurstKb: bigint;
  readonly linkUp: boolean;
  readonly externalIds: ReadonlyMap<string, string>;
}

export interface ObservedQos {
  readonly uuid: Uuid;
  readonly type: string;
  /** `other_config:max-rate` in bit/s, as it stands. */
  readonly maxRate: string | undefined;
  readonly externalIds: ReadonlyMap<string, string>;
}
