-- Asks the authorization service of obo-gateway about each call. haproxy.cfg has the rules that use it: they let a call pass
-- only where `txn.obo_allowed` is set, so that whatever fails in here closes the door.

local SERVICE = 'http://' .. (os.getenv('OBO_SERVICE') or '127.0.0.1:8081') .. '/check/forward-auth'

-- HAProxy 2.6 tries four times, each time for this long: ten seconds in all.
local TIMEOUT_MS = 2500

-- What belongs to the connection and the body of the call, and what only this script says.
local NOT_ASKED_WITH = {
  ['connection'] = true,
  ['content-length'] = true,
  ['expect'] = true,
  ['host'] = true,
  ['keep-alive'] = true,
  ['te'] = true,
  ['trailer'] = true,
  ['transfer-encoding'] = true,
  ['upgrade'] = true,
}

-- Headers of the service's answer that HAProxy writes itself.
local NOT_PASSED_ON = { ['connection'] = true, ['keep-alive'] = true, ['transfer-encoding'] = true }

-- Every refusal of the service is one. HAProxy makes a page of its own when the service cannot be reached.
local function is_problem(answer)
  local types = answer.headers['content-type']
  return types ~= nil and types[0] == 'application/problem+json'
end

-- A 200 of the service has the token of the API, or says that none is needed. Any other is that of another server.
local function may_pass(answer)
  return answer.headers['authorization'] ~= nil or answer.headers['x-envoy-auth-headers-to-remove'] ~= nil
end

-- Returns the answer and its status, or nil where the service did not answer as agreed.
local function ask(headers)
  -- A client of its own for each question: one serves once.
  local answer = core.httpclient():get({ url = SERVICE, headers = headers, timeout = TIMEOUT_MS })
  local status = answer and tonumber(answer.status) or 0
  if (status == 200 and may_pass(answer)) or (status >= 400 and status <= 599 and is_problem(answer)) then
    return answer, status
  end
  return nil
end

-- HAProxy counts the values of a header from 0.
local function first(answer, name)
  local values = answer.headers[name]
  return values and values[0] or ''
end

local function in_order(values)
  local list = {}
  for index = 0, #values do
    list[#list + 1] = values[index]
  end
  return list
end

local function refuse(txn, answer, status)
  local reply = txn:reply({ status = status, reason = answer.reason })
  for name, values in pairs(answer.headers) do
    if not NOT_PASSED_ON[name:lower()] then
      for _, value in ipairs(in_order(values)) do
        reply:add_header(name, value)
      end
    end
  end
  -- HAProxy leaves it out for HEAD.
  reply:set_body(answer.body or '')
  txn:done(reply)
end

-- The call as its client sent it, in the words of the service.
local function describe(txn)
  local headers = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    if not NOT_ASKED_WITH[name] then
      headers[name] = in_order(values)
    end
  end
  headers['x-forwarded-method'] = { txn.sf:method() }
  headers['x-forwarded-uri'] = { txn.sf:pathq() }
  return headers
end

core.register_action('obo_check', { 'http-req' }, function(txn)
  local headers = describe(txn)
  txn:set_priv(headers)
  local answer, status = ask(headers)
  if answer == nil then
    return
  end
  if status ~= 200 then
    refuse(txn, answer, status)
    return
  end
  txn:set_var('txn.obo_authorization', first(answer, 'authorization'))
  txn:set_var('txn.obo_allow_origin', first(answer, 'access-control-allow-origin'))
  txn:set_var('txn.obo_expose_headers', first(answer, 'access-control-expose-headers'))
  txn:set_var('txn.obo_vary', first(answer, 'vary'))
  txn:set_var('txn.obo_allowed', true)
end)

-- The API rejected the token. HAProxy cannot make the call once more, so the caller steps up at once, where the API asks
-- for it.
core.register_action('obo_rejected', { 'http-res' }, function(txn)
  local headers = txn:get_priv()
  headers['x-downstream-status'] = { '401' }
  headers['x-downstream-attempt'] = { '2' }
  headers['x-downstream-challenge'] = in_order(txn.http:res_get_headers()['www-authenticate'] or {})
  headers['x-downstream-authorization'] = { txn:get_var('txn.obo_authorization') or '' }
  local answer, status = ask(headers)
  if answer ~= nil and status ~= 200 then
    refuse(txn, answer, status)
  end
end)
