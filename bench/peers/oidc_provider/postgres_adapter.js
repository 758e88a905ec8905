// Artefacts in PostgreSQL: a table a model and a row an artefact, as in example/adapters/contributed/sequelize.js.
import pg from 'pg';

const CONNECTIONS = 16; // of a process: two of them carry the load's 32 connections

export class PostgresAdapter {
  #pool;
  #model;
  #table;

  constructor(pool, model) {
    this.#pool = pool;
    this.#model = model;
    this.#table = tableName(model);
  }

  // A factory, as the option `adapter` takes one.
  static on(url) {
    const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS, idleTimeoutMillis: 0 });
    return (model) => new PostgresAdapter(pool, model);
  }

  async upsert(id, payload, expiresIn) {
    await this.#run(
      'upsert',
      `INSERT INTO ${this.#table} (id, payload, grant_id, user_code, uid, expires_at)
       VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 second')
       ON CONFLICT (id) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id,
         user_code = excluded.user_code, uid = excluded.uid, expires_at = excluded.expires_at`,
      [id, JSON.stringify(payload), payload.grantId, payload.userCode, payload.uid, expiresIn],
    );
  }

  find(id) {
    return this.#select('id', id);
  }

  findByUid(uid) {
    return this.#select('uid', uid);
  }

  findByUserCode(userCode) {
    return this.#select('user_code', userCode);
  }

  async destroy(id) {
    await this.#run('destroy', `DELETE FROM ${this.#table} WHERE id = $1`, [id]);
  }

  async consume(id) {
    await this.#run('consume', `UPDATE ${this.#table} SET consumed_at = now() WHERE id = $1`, [id]);
  }

  async revokeByGrantId(grantId) {
    await this.#run('revoke', `DELETE FROM ${this.#table} WHERE grant_id = $1`, [grantId]);
  }

  async #select(column, value) {
    const statement = `SELECT payload, consumed_at FROM ${this.#table} WHERE ${column} = $1`;
    const { rows } = await this.#run(`by ${column}`, statement, [value]);
    if (rows.length === 0) {
      return undefined;
    }
    const [{ payload, consumed_at: consumedAt }] = rows;
    return consumedAt ? { ...payload, consumed: true } : payload;
  }

  // A name makes it a prepared statement, parsed and planned once a connection.
  #run(name, text, values) {
    return this.#pool.query({ name: `${this.#table} ${name}`, text, values });
  }
}

// Quoted, for `grant` is a word of SQL.
const tableName = (model) => `"${model.replaceAll(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase()}"`;
