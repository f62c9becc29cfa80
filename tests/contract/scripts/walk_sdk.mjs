// The JavaScript SDK's ways with S3, SQS, SNS and SageMaker Runtime: what it found, as JSON on stdout.
// Usage: node walk_sdk.mjs URL
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { InvokeEndpointAsyncCommand, SageMakerRuntimeClient } from "@aws-sdk/client-sagemaker-runtime";
import { CreateTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, DeleteMessageCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { Upload } from "@aws-sdk/lib-storage";
import { Readable } from "node:stream";

const settings = { endpoint: process.argv[2], region: "us-east-1", forcePathStyle: true, maxAttempts: 1 };
const found = { streams: {}, messages: [] };

const s3 = new S3Client(settings);
await s3.send(new CreateBucketCommand({ Bucket: "walk" }));
for (const algorithm of ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "MD5"]) {
  const body = Readable.from([Buffer.alloc(20000, "x"), Buffer.alloc(5, "y")]);
  await s3.send(new PutObjectCommand({ Bucket: "walk", Key: algorithm, Body: body, ContentLength: 20005, ChecksumAlgorithm: algorithm }));
  const got = await s3.send(new GetObjectCommand({ Bucket: "walk", Key: algorithm, ChecksumMode: "ENABLED" }));
  found.streams[algorithm] = [(await got.Body.transformToString()).length, got.ContentEncoding ?? null];
}
try {
  const body = Readable.from([Buffer.from("hello "), Buffer.from("world")]);
  await s3.send(new PutObjectCommand({ Bucket: "walk", Key: "small", Body: body, ContentLength: 11 }));
} catch (error) {
  found.small = error.name;
}
const large = Readable.from((function* () { for (let i = 0; i < 100; i++) yield Buffer.alloc(65536, i); })());
found.upload = (await new Upload({ client: s3, params: { Bucket: "walk", Key: "large", Body: large } }).done()).ETag;

const sqs = new SQSClient(settings);
const policy = JSON.stringify({ Statement: [{ Effect: "Allow", Principal: { Service: "sns.amazonaws.com" }, Action: "sqs:SendMessage", Resource: "*" }] });
const QueueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: "walk", Attributes: { Policy: policy } }))).QueueUrl;
const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
const sns = new SNSClient(settings);
const own = (await sns.send(new CreateTopicCommand({ Name: "walk" }))).TopicArn;
for (const TopicArn of [own, own.replace(/walk$/, "smbench-success")]) {
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: Attributes.QueueArn, Attributes: { RawMessageDelivery: "true" } }));
}
await sns.send(new PublishCommand({ TopicArn: own, Message: "from sns" }));

const runtime = new SageMakerRuntimeClient(settings);
const taken = await runtime.send(new InvokeEndpointAsyncCommand({ EndpointName: "smbench-emulated", InputLocation: "s3://walk/CRC32", InferenceId: "js-1" }));
found.taken = taken.InferenceId;
while (found.messages.length < 2) {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
  for (const message of Messages) {
    found.messages.push(message.Body.startsWith("{") ? JSON.parse(message.Body).inferenceId : message.Body);
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
  }
}
console.log(JSON.stringify(found));
