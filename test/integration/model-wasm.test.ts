import { checkBackend } from '../checks/backend.js';

checkBackend('wasm');
