"""The SageMaker Python SDK's story of an asynchronous endpoint: deploy, predict, predict_async, delete."""

import json

import boto3
import sagemaker
from sagemaker.async_inference import AsyncInferenceConfig, WaiterConfig
from sagemaker.deserializers import JSONDeserializer
from sagemaker.model import Model
from sagemaker.predictor import Predictor
from sagemaker.serializers import JSONSerializer

ROLE = "arn:aws:iam::123456789012:role/sagemaker"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/image:1"
WAIT = WaiterConfig(max_attempts=60, delay=1)

# A bucket by name: the SDK asks STS for its default one at an address of its own, past AWS_ENDPOINT_URL.
session = sagemaker.Session(boto3.Session(region_name="us-east-1"), default_bucket="predictor")
model = Model(image_uri=IMAGE, role=ROLE, sagemaker_session=session, name="m", predictor_cls=Predictor)
predictor = model.deploy(
    initial_instance_count=1,
    instance_type="ml.m5.xlarge",
    endpoint_name="ep",
    async_inference_config=AsyncInferenceConfig(),
    serializer=JSONSerializer(),
    deserializer=JSONDeserializer(),
)
waited = predictor.predict(data={"x": 1}, waiter_config=WAIT)
later = predictor.predict_async(data={"x": 2})
found = {"kind": type(predictor).__name__, "waited": waited, "later": later.get_result(WAIT), "path": later.output_path}
predictor.delete_model()
predictor.delete_endpoint()
print(json.dumps(found))  # noqa: T201  # what the test reads
