/** How clients reach a listener. */
export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
export type BrokerProperties = Readonly<Record<string, string | number | boolean>>;

export interface BrokerLayout {
  /** Port on loopback by protocol; PLAINTEXT is always there, for ourselves. */
  readonly ports: Readonly<Partial<Record<SecurityProtocol, number>>> & { readonly PLAINTEXT: number };
  readonly controllerPort: number;
  /** The address that the listeners are bound to: loopback, or every address inside of a container. */
  readonly bindHost: string;
  readonly dataFolder: string;
}

/**
 * The configuration of one node that is broker and controller in one (KRaft combined mode). What `overrides` says wins.
 */
export function brokerProperties(layout: BrokerLayout, overrides: BrokerProperties = {}): BrokerProperties {
  const listeners = (host: string) =>
    Object.entries(layout.ports).map(([protocol, port]) => `${protocol}://${host}:${port}`);
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${layout.controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: [...listeners(layout.bindHost), `CONTROLLER://127.0.0.1:${layout.controllerPort}`].join(','),
    'advertised.listeners': listeners('127.0.0.1').join(','),
    'listener.security.protocol.map': [
      'CONTROLLER:PLAINTEXT',
      ...Object.keys(layout.ports).map((protocol) => `${protocol}:${protocol}`),
    ].join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': layout.dataFolder,
    // Topics are made on purpose, with the number of partitions that was asked for.
    'auto.create.topics.enable': false,
    // One node holds the only replica of everything.
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // Kafka's 50 are for clusters, and opening them is most of what the first group waits for.
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.num.partitions': 4,
    // The first member of a group need not wait for others.
    'group.initial.rebalance.delay.ms': 0,
    // The compactor's default takes a quarter of the small heap.
    'log.cleaner.dedupe.buffer.size': 16_777_216,
    ...overrides,
  };
}

/** The text of a properties file, as java.util.Properties reads it. */
export function formatProperties(properties: BrokerProperties): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${escapeValue(String(value))}\n`)
    .join('');
}

function escapeValue(value: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replace(/^[ \t]+/, (blanks) => blanks.replaceAll(' ', '\\ ').replaceAll('\t', '\\t'));
}
