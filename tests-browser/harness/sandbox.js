// A sandbox of its own for each test file, and what the tests do in it behind the browser's back.

import { builtProgram, startProgram } from "./program.js";

/** Starts `ml-sandbox` on free ports; the same seed gives the same records. */
export async function startSandbox({ seed = 7, records = 120 } = {}) {
  const file = builtProgram("ML_SANDBOX", "ml-sandbox");
  const args = ["--seed", String(seed), "--records", String(records)];
  const { ready, stop } = await startProgram(file, args, readyLine);
  return { ...ready, stop };
}

function readyLine(line, stream) {
  return stream === "stdout" && line.startsWith("{") ? JSON.parse(line) : undefined;
}

/** Calls the control port; gives the decoded answer. */
export async function control(sandbox, method, path, body) {
  return call(`${sandbox.control.base_url}/_sandbox/${path}`, { method, json: body });
}

/** Calls Business Central as an application would: with a token from the login. */
export async function businessCentral(sandbox, method, path, body) {
  const { entra, bc } = sandbox;
  const login = await call(`${entra.base_url}/${entra.tenant_id}/oauth2/v2.0/token`, {
    method: "POST",
    form: {
      grant_type: "client_credentials",
      client_id: entra.client_id,
      client_secret: entra.client_secret,
      scope: "https://api.businesscentral.dynamics.com/.default",
    },
  });
  const base = `${bc.base_url}/v2.0/${entra.tenant_id}/${bc.environment}/api/v2.0/companies(${bc.company_id})`;
  return call(`${base}/${path}`, { method, json: body, token: login.access_token });
}

async function call(url, { method, json, form, token }) {
  const headers = {};
  if (json !== undefined) headers["content-type"] = "application/json";
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  const body = form === undefined ? JSON.stringify(json) : new URLSearchParams(form);
  const response = await fetch(url, { method, headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${text.slice(0, 500)}`);
  return text === "" ? undefined : JSON.parse(text);
}
