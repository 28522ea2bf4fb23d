/**
 * The only place that reads process.env. Everything else gets what it needs as compiled options.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process; an empty variable counts as not set. */
export function readEnvironment(): Environment {
  return Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''));
}

/** Sets variables for libraries that are configured no other way; what is already set stays. */
export function setEnvironmentDefaults(defaults: Environment): void {
  for (const [name, value] of Object.entries(defaults)) process.env[name] ??= value;
}
