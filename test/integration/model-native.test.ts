import { checkBackend } from '../checks/backend.js';

checkBackend('native');
