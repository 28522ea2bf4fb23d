import kafkajs from 'kafkajs';
import type { StreamClient } from './connection.js';
import { withAdmin } from './topics.js';

/**
 * Settings of a topic by Kafka's names, such as `retention.ms`, also those that come from the broker; none of them
 * when this client may not read settings.
 *
 * Throws MILLRACE_BROKER_UNAVAILABLE.
 */
export function fetchTopicSettings<Name extends string>(
  client: StreamClient,
  topic: string,
  names: readonly Name[],
): Promise<Partial<Record<Name, string>>> {
  return withAdmin(client, 'Reading the settings of a topic', async (admin) => {
    try {
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: [...names] }],
      });
      const entries = resources[0].configEntries.map(({ configName, configValue }) => [
        configName,
        configValue,
      ]);
      return Object.fromEntries(entries) as Partial<Record<Name, string>>;
    } catch (error) {
      client.logger.debug({ err: error, topic }, 'the settings of a topic cannot be read');
      return {};
    }
  });
}
