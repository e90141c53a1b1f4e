"""Prints, as JSON, what OpenCV's own FaceDetectorYN and FaceRecognizerSF make of photos.

usage: opencv_reference.py MODEL_FOLDER PHOTO.png SCALED.png ...

Each photo comes with itself scaled to the size that the detector sees, because how a picture is scaled down is not
what is compared here.
"""

import json
import sys

import cv2


def embedding(folder, photo_path, scaled_path):
    photo, scaled = cv2.imread(photo_path), cv2.imread(scaled_path)
    size = (scaled.shape[1], scaled.shape[0])
    detector = cv2.FaceDetectorYN.create(f"{folder}/yunet.onnx", "", size, 0.8, 0.3)
    _, faces = detector.detect(scaled)
    face = max(faces, key=lambda row: row[2])
    face[:14] *= max(photo.shape[:2]) / max(size)
    recogniser = cv2.FaceRecognizerSF.create(f"{folder}/sface.onnx", "")
    feature = recogniser.feature(recogniser.alignCrop(photo, face)).flatten()
    return {"embedding": feature.tolist(), "landmarks": face[4:14].tolist(), "score": float(face[14])}


folder, *paths = sys.argv[1:]
print(json.dumps([embedding(folder, photo, scaled) for photo, scaled in zip(paths[::2], paths[1::2])]))
