import type { Transaction } from '../db/database.ts';
import { AppError } from '../errors.ts';

export interface NewCustomer {
  name: string;
  email?: string | undefined;
  phone?: string | undefined;
  plan?: string | undefined;
}

export interface Customer {
  id: string;
  name: string;
  email: string | null;
  phone: string | null;
  plan: string | null;
  createdAt: string;
}

interface CustomerRow extends Omit<Customer, 'createdAt'> {
  created_at: Date;
}

export async function createCustomer(tx: Transaction, id: string, customer: NewCustomer): Promise<Customer> {
  const { name, email, phone, plan } = customer;
  await tx.query(
    'INSERT INTO customers (id, name, email, phone, plan) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING',
    [id, name, email, phone, plan],
  );
  return readCustomer(tx, id);
}

/** @throws AppError `not-found` */
export async function readCustomer(tx: Transaction, id: string): Promise<Customer> {
  const { rows } = await tx.query<CustomerRow>(
    'SELECT id, name, email, phone, plan, created_at FROM customers WHERE id = $1',
    [id],
  );
  const [row] = rows;
  if (!row) throw new AppError('not-found', `There is no customer ${id}.`);
  const { created_at, ...rest } = row;
  return { ...rest, createdAt: created_at.toISOString() };
}
