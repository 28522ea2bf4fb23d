import kafkajs, { type Admin } from 'kafkajs';
import type { Logger } from '../../telemetry/logger.js';

/**
 * Settings of topics by Kafka's names, such as `retention.ms`, also those that a topic has from the broker; of none
 * when this client may not read settings.
 */
export async function fetchTopicSettings<Name extends string>(
  admin: Admin,
  topics: readonly string[],
  names: readonly Name[],
  logger: Logger,
): Promise<Map<string, Partial<Record<Name, string>>>> {
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: topics.map((name) => ({
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configNames: [...names],
      })),
    });
    return new Map(
      resources.map(({ resourceName, configEntries }) => [
        resourceName,
        Object.fromEntries(configEntries.map((entry) => [entry.configName, entry.configValue])),
      ]),
    ) as Map<string, Partial<Record<Name, string>>>;
  } catch (error) {
    logger.debug({ err: error, topics }, 'the settings of the topics cannot be read');
    return new Map();
  }
}
