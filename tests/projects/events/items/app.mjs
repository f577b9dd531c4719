export const handler = async (event) => ({
  statusCode: 200,
  body: JSON.stringify({ version: event.version, method: event.httpMethod, id: event.pathParameters.id }),
});
