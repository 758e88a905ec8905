// Artefacts in Redis, laid out as in the project's example/adapters/redis.js.
import { Redis } from 'ioredis';

const GRANTABLE = new Set([
  'AccessToken',
  'AuthorizationCode',
  'RefreshToken',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
]);

// Hashes, so that being consumed is one field more; the others are plain strings.
const CONSUMABLE = new Set([
  'AuthorizationCode',
  'RefreshToken',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
]);

const grantKey = (grantId) => `grant:${grantId}`;
const userCodeKey = (userCode) => `userCode:${userCode}`;
const uidKey = (uid) => `uid:${uid}`;

export class RedisAdapter {
  #redis;
  #model;
  #consumable;

  constructor(redis, model) {
    this.#redis = redis;
    this.#model = model;
    this.#consumable = CONSUMABLE.has(model);
  }

  // A factory, as the option `adapter` takes one. pipelined: the commands of a turn of the event loop go out
  // together, which ioredis offers and the example leaves off.
  static on({ path, password, db, pipelined }) {
    const redis = new Redis({ path, password, db, keyPrefix: 'oidc:', enableAutoPipelining: pipelined });
    return (model) => new RedisAdapter(redis, model);
  }

  async upsert(id, payload, expiresIn) {
    const key = this.#key(id);
    const text = JSON.stringify(payload);
    const multi = this.#redis.multi();
    if (this.#consumable) {
      multi.hset(key, 'payload', text);
      multi.expire(key, expiresIn);
    } else if (expiresIn) {
      multi.set(key, text, 'EX', expiresIn);
    } else {
      multi.set(key, text);
    }
    if (GRANTABLE.has(this.#model) && payload.grantId) {
      const list = grantKey(payload.grantId);
      multi.rpush(list, key);
      if (expiresIn > (await this.#redis.ttl(list))) {
        multi.expire(list, expiresIn);
      }
    }
    if (payload.userCode) {
      multi.set(userCodeKey(payload.userCode), id, 'EX', expiresIn);
    }
    if (payload.uid) {
      multi.set(uidKey(payload.uid), id, 'EX', expiresIn);
    }
    await execute(multi);
  }

  async find(id) {
    if (!this.#consumable) {
      const text = await this.#redis.get(this.#key(id));
      return text ? JSON.parse(text) : undefined;
    }
    const { payload, ...others } = await this.#redis.hgetall(this.#key(id));
    return payload ? { ...others, ...JSON.parse(payload) } : undefined;
  }

  async findByUid(uid) {
    return this.find(await this.#redis.get(uidKey(uid)));
  }

  async findByUserCode(userCode) {
    return this.find(await this.#redis.get(userCodeKey(userCode)));
  }

  async destroy(id) {
    await this.#redis.del(this.#key(id));
  }

  async consume(id) {
    await this.#redis.hset(this.#key(id), 'consumed', Math.floor(Date.now() / 1000));
  }

  async revokeByGrantId(grantId) {
    const keys = await this.#redis.lrange(grantKey(grantId), 0, -1);
    await this.#redis.del(...keys, grantKey(grantId));
  }

  #key(id) {
    return `${this.#model}:${id}`;
  }
}

async function execute(multi) {
  for (const [error] of await multi.exec()) {
    if (error) {
      throw error;
    }
  }
}
