import { Partitioners, type ICustomPartitioner } from 'kafkajs';

/**
 * The partition that a record names, or else the one of its key (murmur2, as the Java client has it), or else the next
 * in turn; and that partition for good. The client asks again whenever it repeats a request: a record without a key
 * would then go to another partition than the first time, be written twice, or pass for one that is written already.
 */
export const partitionerThatKeepsItsChoice: ICustomPartitioner = () => {
  const choose = Partitioners.DefaultPartitioner();
  return (args) => (args.message.partition ??= choose(args));
};
