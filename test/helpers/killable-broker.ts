import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrokerProperties } from '../../deploy/embedded-broker/broker-properties.js';
import { startEmbeddedBroker, type EmbeddedBroker } from '../../deploy/embedded-broker/embedded-broker.js';
import { freePorts } from '../../deploy/embedded-broker/free-ports.js';
import { cacheFolder } from '../../src/config/cache-folder.js';
import { readEnvironment } from '../../src/config/environment.js';
import { compileOptions } from '../../src/config/options.js';
import { connect, connectionOptions, type StreamClient } from '../../src/stream/client/connection.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { KafkaController } from './kafka-controller.js';
import { KafkaProxy } from './kafka-proxy.js';

type BrokerOptions = Parameters<typeof startEmbeddedBroker>[0] & {
  readonly dataFolder: string;
  readonly port: number;
};

/**
 * A broker of a test's own, which can be killed and come back with its data. It has two addresses: one direct, for
 * the test itself, and one that leads through a proxy, for the processes that are tested.
 */
export class KillableBroker {
  /** The direct address. */
  readonly address: string;
  readonly proxy: KafkaProxy;
  readonly #options: BrokerOptions;
  readonly #controller: KafkaController;
  #broker: EmbeddedBroker | undefined;
  /** How often the controller has to have missed a broker before it may come back. */
  #numFenced = 0;

  private constructor(proxy: KafkaProxy, controller: KafkaController, options: BrokerOptions) {
    this.address = `127.0.0.1:${options.port}`;
    this.proxy = proxy;
    this.#controller = controller;
    this.#options = options;
  }

  /** @param properties of Kafka's server.properties, besides those that it needs for its listeners */
  static async start(properties: BrokerProperties = {}): Promise<KillableBroker> {
    const [direct, behindProxy, controllerPort] = await freePorts(3);
    const cache = cacheFolder(readEnvironment()['MILLRACE_CACHE']);
    const folder = mkdtempSync(join(tmpdir(), 'millrace-killable-'));
    const proxy = await KafkaProxy.start(behindProxy);
    const controller = await KafkaController.start(cache, join(folder, 'controller'), controllerPort);
    const listeners = (proxied: number) => `PLAINTEXT://127.0.0.1:${direct},PROXIED://127.0.0.1:${proxied}`;
    const broker = new KillableBroker(proxy, controller, {
      cacheFolder: cache,
      dataFolder: folder,
      port: direct,
      properties: {
        ...controller.properties,
        listeners: listeners(behindProxy),
        'advertised.listeners': listeners(proxy.port),
        'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT',
        'broker.heartbeat.interval.ms': 500,
        // Members may be missed sooner than in production, so that tests need not wait for it.
        'group.min.session.timeout.ms': 1_000,
        'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500,
        ...properties,
      },
    });
    try {
      await broker.restart();
    } catch (error) {
      // Nothing may be left that keeps the process of the test alive.
      await broker.close();
      throw error;
    }
    return broker;
  }

  /** The address that leads through the proxy. */
  get proxied(): string {
    return `127.0.0.1:${this.proxy.port}`;
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    this.#numFenced = this.#controller.numFenced + 1;
    await this.#broker!.kill();
  }

  /** Starts it with the data of before, once the controller has missed it; resolves when it serves clients. */
  async restart(): Promise<void> {
    await this.#controller.untilFenced(this.#numFenced);
    this.#broker = await startEmbeddedBroker(this.#options);
  }

  /** Ends it and removes its data. */
  async close(): Promise<void> {
    await this.proxy.close();
    await this.#broker?.kill();
    await this.#controller.stop();
    rmSync(this.#options.dataFolder, { recursive: true, force: true });
  }

  /** A client of the direct address. */
  client(): StreamClient {
    const options = compileOptions(connectionOptions, { flags: { brokers: this.address } });
    return connect(options, createLogger({ name: 'test', level: 'silent' }));
  }
}
